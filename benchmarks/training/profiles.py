"""Where the time goes in the three cases that are slowest beside PyTorch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.report import aligned
from benchmarks.training.processes import Options, SideFailed, ours
from benchmarks.training.results import Results
from benchmarks.training.steps import PART as STEPS
from benchmarks.training.steps import TINY, WORDS, ratio
from benchmarks.training.tasks import Task
from benchmarks.training.workloads import workloads

PART = "profiles"
CASES = 3
SHOWN = 8


def tasks(options: Options, results: Results) -> Iterator[Task]:
    """The slowest ratios of the steps, which are seen when it is their turn; or those named."""
    seconds = 2 + 2 * options.seconds
    if not options.only:
        if options.torch is None and not slowest(results):
            return
        for place in range(CASES):
            ask = partial(_measure_slowest, options, results, place)
            yield Task(PART, f"slowest {place + 1}", seconds, ask)
        return
    for workload in workloads():
        for what in WORDS if options.wants(workload.name) else ():
            ask = partial(measure, options, workload.name, what)
            yield Task(PART, f"{workload.name} {what}", seconds, ask)


def _measure_slowest(options: Options, results: Results, place: int) -> dict[str, Any]:
    cases = slowest(results)
    if len(cases) <= place:
        raise SideFailed("no ratios to choose the slowest from: measure the part steps")
    return measure(options, *cases[place])


def measure(options: Options, name: str, what: str) -> dict[str, Any]:
    """Where the time of a workload's training or inference goes."""
    (workload,) = workloads([name])
    asked: list[object] = ["--measure", json.dumps(workload.document), "--what", what]
    asked += ["--seconds", 2 * options.seconds]
    asked += [] if options.shards is None else ["--shards", options.shards]
    asked += ["--tiny"] if name in TINY else []
    found = ours("ours_profile", *asked, threads=options.threads)
    return {"name": name, "what": what, **found}


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
    profiles = {(found["name"], found["what"]): found for found in results.read(PART).values()}
    steps, parts = results.read(STEPS), []
    for name, what in slowest(results):
        found = profiles.get((name, what))
        if found is None:
            continue
        rows = [["function", "share", "its busiest line", "of it"]]
        for each in found["functions"][:SHOWN]:
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
