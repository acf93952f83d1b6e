"""What `import nncore` takes: time and memory, beside Python's and NumPy's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.report import aligned
from benchmarks.training.goals import Goal, unmeasured
from benchmarks.training.processes import Line, Options, ours
from benchmarks.training.results import Results
from benchmarks.training.tasks import Task

PART = "starting"
CASE = "imports"
ROUNDS = 10
SECONDS_GOAL, MIB_GOAL = 0.15, 40.0
MODULES = {"Python alone": "sys", "import numpy": "numpy", "import nncore": "nncore"}


def tasks(options: Options) -> Iterator[Task]:
    """One for all modules."""
    if options.wants(CASE):
        yield Task(PART, CASE, ROUNDS * len(MODULES) * 0.3, partial(measure, options))


def measure(options: Options) -> dict[str, Any]:
    """The best of some processes each, in turn; the first one warms the disk's cache."""
    found: dict[str, Line] = {}
    for _ in range(ROUNDS):
        for name, module in MODULES.items():
            line = ours("ours_import", module, threads=options.threads)
            known = found.get(name, line)
            found[name] = {key: min(known[key], line[key]) for key in line}
    return {"modules": found}


def goals(results: Results) -> Iterator[Goal]:
    """What is wanted of the import."""
    found, name = results.read(PART).get(CASE), "import nncore"
    wanted, wanted_mib = f"<= {SECONDS_GOAL} s", f"<= {MIB_GOAL:g} MiB"
    if found is None:
        yield unmeasured(f"{name}: time", wanted)
        yield unmeasured(f"{name}: memory", wanted_mib)
        return
    seconds, mib = (found["modules"][name][key] for key in ("seconds", "resident_mib"))
    unsure = bool(results.disturbed(PART))
    yield Goal(f"{name}: time", f"{seconds:.3f} s", wanted, seconds <= SECONDS_GOAL, unsure)
    yield Goal(f"{name}: memory", f"{mib:.1f} MiB", wanted_mib, mib <= MIB_GOAL)


def section(results: Results) -> str:
    """Seconds and MiB."""
    found = results.read(PART).get(CASE)
    if found is None:
        return "Not measured."
    everything = found["modules"]
    rows: list[list[Any]] = [["", "seconds", "resident MiB", "of these its own"]]
    base = everything["Python alone"]["resident_mib"]
    for name, line in everything.items():
        own = line["resident_mib"] - base
        rows.append([name, f"{line['seconds']:.3f}", f"{line['resident_mib']:.1f}", f"{own:.1f}"])
    return aligned(rows)
