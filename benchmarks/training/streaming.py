"""Memory while `fit` streams a memory-mapped array that is larger than the bound."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.report import aligned
from benchmarks.training.goals import Goal
from benchmarks.training.ours_streaming import LOOKED_AT
from benchmarks.training.processes import Options, ours
from benchmarks.training.results import FOLDER, Results

PART = "streaming"
GIB = 4
BOUND_MIB = 256


def measure(options: Options, results: Results) -> None:
    """One epoch over the file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    asked = ("--gib", GIB, "--folder", FOLDER)
    results.keep(PART, "memmap", ours("ours_streaming", *asked, threads=options.threads))


def goals(results: Results) -> Iterator[Goal]:
    """What is wanted of the process's memory."""
    for found in results.read(PART).values():
        most = found["most_resident_mib"]
        words = f"MiB resident while {found['gib']} GiB stream through fit"
        yield Goal(words, f"{most:.0f}", f"<= {BOUND_MIB}", most <= BOUND_MIB)


def section(results: Results) -> str:
    """What was resident, of what was read."""
    found = results.read(PART).get("memmap")
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
