"""Memory while `fit` streams a memory-mapped array that is larger than the machine's memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

from benchmarks.report import aligned, memory_gib
from benchmarks.training.goals import Goal, unmeasured
from benchmarks.training.ours_streaming import LOOKED_AT
from benchmarks.training.processes import Line, Options, ours
from benchmarks.training.results import FOLDER, Results
from benchmarks.training.tasks import Task

PART = "streaming"
CASE = "memmap"
BOUND_MIB = 256
_GIB_A_SECOND = 0.13


def tasks(options: Options) -> Iterator[Task]:
    """One epoch over a file that is a tenth larger than the machine's memory."""
    if options.wants(CASE):
        gib = options.gib or math.ceil(1.1 * memory_gib())
        yield Task(PART, CASE, gib / _GIB_A_SECOND + 1, partial(measure, options, gib))


def measure(options: Options, gib: float) -> Line:
    """One epoch over the file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    asked = ("--gib", gib, "--folder", FOLDER)
    found = ours("ours_streaming", *asked, threads=options.threads)
    return found | {"memory_gib": round(memory_gib(), 1)}


def goals(results: Results) -> Iterator[Goal]:
    """What is wanted of the process's memory."""
    found, wanted = results.read(PART).get(CASE), f"<= {BOUND_MIB} MiB"
    if found is None or found["gib"] <= found["memory_gib"]:
        yield unmeasured("memory while more than the machine's memory streams through fit", wanted)
        return
    most = found["most_resident_mib"]
    words = (
        f"memory while {found['gib']:g} GiB stream through fit, "
        f"on a machine of {found['memory_gib']} GiB"
    )
    yield Goal(words, f"{most:.0f} MiB", wanted, most <= BOUND_MIB)


def section(results: Results) -> str:
    """What was resident, of what was read."""
    found = results.read(PART).get(CASE)
    if found is None:
        return "Not measured."
    heads = ["file GiB", "rows", "steps", "seconds", "MiB before", "most anonymous MiB"]
    rows = [[*heads, "most resident MiB"]]
    keys = ("gib", "rows", "steps", "seconds", "before_mib", "most_anonymous_mib")
    figures = [f"{found[key]:,g}" if key == "gib" else f"{found[key]:,}" for key in keys]
    rows.append([*figures, f"{found['most_resident_mib']:,}"])
    return (
        "One shuffled epoch of batches of 256 over an `np.memmap`; the mapped pages that were read "
        f"are given back every {LOOKED_AT} steps by the loop's own `madvise`, as the kernel would "
        f"when memory is short.\n\n{aligned(rows)}"
    )
