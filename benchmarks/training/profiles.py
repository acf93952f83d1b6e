"""Where the time goes in the three cases that are slowest beside PyTorch."""

from __future__ import annotations

import json

from benchmarks.report import aligned
from benchmarks.training.processes import Options, ours
from benchmarks.training.results import Results
from benchmarks.training.steps import PART as STEPS
from benchmarks.training.steps import TINY, WORDS, ratio
from benchmarks.training.workloads import workloads

PART = "profiles"
CASES = 3


def measure(options: Options, results: Results) -> None:
    """Look at the slowest ratios of the steps measured so far, or at the named workloads."""
    for name, what in _slowest(options, results):
        (workload,) = workloads([name])
        asked: list[object] = ["--measure", json.dumps(workload.document), "--what", what]
        asked += ["--seconds", options.seconds]
        asked += [] if options.shards is None else ["--shards", options.shards]
        asked += ["--tiny"] if name in TINY else []
        found = ours("ours_profile", *asked, threads=options.threads)
        results.keep(PART, f"{name} {what}", found)


def _slowest(options: Options, results: Results) -> list[tuple[str, str]]:
    if options.only:
        return [(workload.name, what) for workload in workloads(options.only) for what in WORDS]
    return slowest(results)


def slowest(results: Results) -> list[tuple[str, str]]:
    """Workload and `train` or `infer`, the least ratio first."""
    ratios = [
        (times, name, what)
        for name, found in results.read(STEPS).items()
        for what in WORDS
        if (times := ratio(found, what)) is not None
    ]
    return [(name, what) for _, name, what in sorted(ratios)[:CASES]]


def section(results: Results) -> str:
    """A table for each of the slowest cases that has been looked at."""
    profiles, steps = results.read(PART), results.read(STEPS)
    parts = []
    for name, what in slowest(results):
        found = profiles.get(f"{name} {what}")
        if found is None:
            continue
        rows = [["function", "share", "its busiest line", "of it"]]
        for each in found["functions"]:
            line = each["line"].replace("|", "\\|")
            rows.append(
                [each["where"], f"{each['share']:.1%}", f"`{line}`", f"{each['of_it']:.0%}"]
            )
        times = ratio(steps[name], what)
        parts.append(
            f"**{name}, {WORDS[what]}** (ratio {times:.2f}; {found['looks']} looks, on average "
            f"{found['threads_at_work']} threads at work)\n\n{aligned(rows)}"
        )
    return "\n\n".join(parts) or "Not measured."
