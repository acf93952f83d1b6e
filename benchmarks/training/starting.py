"""What `import nncore` takes: time and memory, beside Python's and NumPy's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.report import aligned
from benchmarks.training.goals import Goal
from benchmarks.training.processes import Line, Options, ours
from benchmarks.training.results import Results

PART = "starting"
ROUNDS = 10
SECONDS_GOAL, MIB_GOAL = 0.15, 40.0
MODULES = {"Python alone": "sys", "import numpy": "numpy", "import nncore": "nncore"}


def measure(options: Options, results: Results) -> None:
    """The best of some processes each, in turn; the first one warms the disk's cache."""
    found: dict[str, Line] = {}
    for _ in range(ROUNDS):
        for name, module in MODULES.items():
            line = ours("ours_import", module, threads=options.threads)
            known = found.get(name, line)
            found[name] = {key: min(known[key], line[key]) for key in line}
    for name, line in found.items():
        results.keep(PART, name, line)


def goals(results: Results) -> Iterator[Goal]:
    """What is wanted of the import."""
    line = results.read(PART).get("import nncore")
    if line:
        seconds, mib = line["seconds"], line["resident_mib"]
        name = "import nncore"
        yield Goal(f"{name}, s", f"{seconds:.3f}", f"<= {SECONDS_GOAL}", seconds <= SECONDS_GOAL)
        yield Goal(f"{name}, MiB", f"{mib:.1f}", f"<= {MIB_GOAL:g}", mib <= MIB_GOAL)


def section(results: Results) -> str:
    """Seconds and MiB."""
    everything = results.read(PART)
    if not everything:
        return "Not measured."
    rows: list[list[Any]] = [["", "seconds", "resident MiB", "of these its own"]]
    base = everything["Python alone"]["resident_mib"]
    for name, line in everything.items():
        own = line["resident_mib"] - base
        rows.append([name, f"{line['seconds']:.3f}", f"{line['resident_mib']:.1f}", f"{own:.1f}"])
    return aligned(rows)
