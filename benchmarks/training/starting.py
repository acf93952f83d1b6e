"""What `import nncore` takes: time and memory, beside Python's and NumPy's own."""

from __future__ import annotations

from typing import Any

from benchmarks.report import aligned
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
    line = everything["import nncore"]
    met = line["seconds"] <= SECONDS_GOAL and line["resident_mib"] <= MIB_GOAL
    verdict = "met" if met else "MISSED"
    wanted = f"Wanted: <= {SECONDS_GOAL} s and <= {MIB_GOAL:g} MiB: {verdict}."
    return f"{aligned(rows)}\n\n{wanted}"
