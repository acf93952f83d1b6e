"""The job service on this machine, held against its goals: `make bench-jobs`.

Starts the embedded stack with default settings, and for the growth a PostgreSQL of its own too.
What is found is kept in benchmarks/results/jobs.json, and a section of benchmarks/RESULTS.md is
written from there: a part that is measured alone (`--parts rate`) leaves the others as they were.
All parts take about five minutes and want a machine that does nothing else. The exit status is 1
when a goal is missed.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.jobs import checkpoints, growth, lives, rate, report, takeover
from benchmarks.page import PAGE, put
from benchmarks.training.results import FOLDER, Results

PARTS: dict[str, Callable[[Results], None]] = {
    **{part.CASE: part.measure for part in (lives, rate, takeover, checkpoints)},
    "growth-sqlite": growth.measure_sqlite,
    "growth-postgresql": growth.measure_postgresql,
}


def main() -> int:
    """Measure the chosen parts and write the section; returns the exit status."""
    told = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is stopped then
    results = Results(told.results)
    for part in [] if told.render else told.parts or PARTS:
        report.note_machine(results)
        PARTS[part](results)
    put("jobs", report.section(results), told.write)
    goals = report.goals(results)
    print(report.verdicts(goals))
    return 0 if all(goal.met for goal in goals) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.jobs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[], metavar="PART")
    parser.add_argument("--render", action="store_true", help="only write the section again")
    parser.add_argument("--results", type=Path, default=FOLDER, help="where the findings are kept")
    parser.add_argument("--write", type=Path, default=PAGE, help="the page with the section")
    return parser


if __name__ == "__main__":
    sys.exit(main())
