"""nncore against PyTorch on this machine: `make bench`.

Both sides run in turn, each measurement in a process of its own. What is found is kept in
benchmarks/results after every step, and benchmarks/RESULTS.md is written from there: a part that is
measured alone (`--parts steps --only lenet`) leaves the others as they were. A run that was stopped
goes on when the same command is given again. The machine should do nothing else.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterable

from benchmarks.page import put
from benchmarks.training import (
    epochs,
    learning,
    machine,
    profiles,
    scaling,
    starting,
    steps,
    streaming,
)
from benchmarks.training.arguments import known_names, options_of, parser
from benchmarks.training.processes import Options, SideFailed
from benchmarks.training.report import SECTION, report
from benchmarks.training.results import Results
from benchmarks.training.state import state
from benchmarks.training.tasks import Run, Task

Tasks = Callable[[Options, Results], Iterable[Task]]

PARTS: dict[str, Tasks] = {
    "steps": lambda options, _: steps.tasks(options),
    "profiles": profiles.tasks,
    "starting": lambda options, _: starting.tasks(options),
    "cores": lambda options, _: scaling.cores_tasks(options),
    "scaling": lambda options, _: scaling.tasks(options),
    "epochs": lambda options, _: epochs.tasks(options),
    "accuracy": lambda options, _: epochs.accuracy_tasks(options),
    "characters": lambda options, _: learning.tasks(options),
    "streaming": lambda options, _: streaming.tasks(options),
}


def main() -> int:
    """Measure the chosen parts and write the report; returns the exit status."""
    told = parser(__doc__, list(PARTS)).parse_args()
    results = Results(told.results)

    def write() -> None:
        put(SECTION, report(results, list(PARTS)), told.write)

    try:
        status = 0 if told.render else _measure(told, results, write)
        if not told.plan:
            write()
            print(told.write)
    except (FileNotFoundError, SideFailed, ValueError) as error:
        print(f"make bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nmake bench: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return status


def _measure(told: argparse.Namespace, results: Results, write: Callable[[], None]) -> int:
    options = options_of(told)
    chosen = told.parts or list(PARTS)
    tasks = [task for part in chosen for task in PARTS[part](options, results)]
    if not tasks:
        raise ValueError(
            f"--only {','.join(options.only)} leaves nothing of the parts {', '.join(chosen)}; "
            f"known: {', '.join(known_names())}"
        )
    code = state()
    run = Run(tasks, results, f"{code} {chosen} {options}", code, told.again)
    print("\n".join([f"Code: {code}", *run.plan()]), file=sys.stderr)
    if told.plan:
        return 0
    machine.measure(options, results)
    late = run.carry_out(told.minutes, write)
    for name, why in run.failed.items():
        print(f"make bench: {name} failed: {why}", file=sys.stderr)
    if late:
        print(
            f"make bench: {len(late)} steps do not fit into --minutes {told.minutes:g}; "
            "the same command goes on from here",
            file=sys.stderr,
        )
    return 1 if late or run.failed else 0


if __name__ == "__main__":
    # However the run is stopped, the process that measures must not stay.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
