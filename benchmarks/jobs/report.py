"""The section of RESULTS.md on the job service, from what has been measured."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks.jobs import checkpoints, growth, lives, rate, takeover
from benchmarks.jobs.figures import Figure, Goal, table, verdicts
from benchmarks.report import machine
from benchmarks.training.results import Results

__all__ = ["goals", "note_machine", "section", "verdicts"]

PARTS = (lives, rate, takeover, checkpoints)

_INTRODUCTION = """\
Written by `make bench-jobs`: `gradserve up` with default settings, everything on this machine.
Times between states are differences of the job's own times, which the database's clock wrote; the
others are what a client on loopback waited. The small job is XOR: four rows, 13 parameters, one
epoch."""

_GROWTH = """\
Half of the jobs wait in the queue, the other half are final; two run. The rows were put straight
into the tables. Pages are of 20 jobs, medians in ms. A page, a look at a job, a claim and a sweep
are flat when the median with the most jobs is at most {factor:g} times the one with the fewest. The
indexes are what the database's own EXPLAIN names with the most jobs."""


def note_machine(results: Results) -> None:
    """Keep what the figures stand for."""
    results.keep("jobs", "machine", {"day": datetime.now(UTC).date().isoformat(), "is": machine()})


def goals(results: Results) -> list[Goal]:
    """Every goal of what has been measured."""
    found = results.read("jobs")
    goals = [goal for each in _figures(results) for goal in each.goals()]
    return goals + (growth.goals(found[growth.CASE]) if growth.CASE in found else [])


def section(results: Results) -> str:
    """The section, headings included."""
    found = results.read("jobs")
    here = found.get("machine", {"day": "never", "is": "- not measured"})
    parts = [
        "## The job service",
        _INTRODUCTION,
        f"{here['is']}\n- measured on {here['day']}",
        verdicts(goals(results)),
        "### Figures",
        table(_figures(results)),
    ]
    if lives.CASE in found:
        parts += ["Memory that each process has to itself:", lives.memory(found[lives.CASE])]
    if growth.CASE in found:
        told = _GROWTH.format(factor=growth.FLAT_FACTOR)
        parts += ["### From 100 to 100,000 jobs", told, growth.section(found[growth.CASE])]
    return "\n\n".join(parts)


def _figures(results: Results) -> list[Figure]:
    found = results.read("jobs")
    return [each for part in PARTS if part.CASE in found for each in part.figures(found[part.CASE])]
