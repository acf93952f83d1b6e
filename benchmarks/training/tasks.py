"""A run as a list of tasks: a plan with times at the start, progress, and going on after a stop.

What a task finds is kept when it ends, with the state of the code. A run that was stopped leaves
its journal among the results; the same command on the same code then does what is left.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.training.processes import SideFailed
from benchmarks.training.quiet import settled
from benchmarks.training.results import Results

JOURNAL = "run"


@dataclass(frozen=True, slots=True)
class Task:
    """One case of a part: `measure` gives what is kept of it, `seconds` is about what it takes."""

    part: str
    case: str
    seconds: float
    measure: Callable[[], dict[str, Any]]

    @property
    def name(self) -> str:
        """What the journal and the progress call it."""
        return f"{self.part} {self.case}"


class Run:
    """The tasks of one command; `identity` says which runs go on with each other's work."""

    def __init__(
        self, tasks: Sequence[Task], results: Results, identity: str, state: str, again: bool
    ) -> None:
        self._tasks, self._results, self._state = tasks, results, state
        journal = results.read(JOURNAL)
        goes_on = journal.get("identity") == identity and not journal["finished"] and not again
        self.done: list[str] = journal["done"] if goes_on else []
        self.failed: dict[str, str] = {}
        self._identity = identity

    @property
    def left(self) -> list[Task]:
        """What has not been done, in order."""
        return [task for task in self._tasks if task.name not in self.done]

    def plan(self) -> Iterator[str]:
        """The parts with their minutes, as lines to print."""
        left = self.left
        for part in dict.fromkeys(task.part for task in left):
            seconds = [task.seconds for task in left if task.part == part]
            yield f"  {part:<11}{len(seconds):3} steps, about {sum(seconds) / 60:4.1f} minutes"
        total = sum(task.seconds for task in left) / 60
        yield f"  together   {len(left):3} steps, about {total:4.1f} minutes"
        if self.done:
            yield f"  {len(self.done)} steps were done before this run was stopped; --again repeats"

    def carry_out(self, minutes: float, after: Callable[[], None]) -> list[Task]:
        """Do what is left, `after` each step; returns what does not fit into the minutes."""
        begin, left = time.monotonic(), self.left
        self._note(finished=False)
        for place, task in enumerate(left):
            passed = time.monotonic() - begin
            if passed + task.seconds > minutes * 60:
                return left[place:]
            rest = sum(each.seconds for each in left[place:]) / 60
            _say(f"[{place + 1}/{len(left)}] {task.name} (about {rest:.0f} minutes left)")
            self._do(task)
            after()
            _say(f"    {time.monotonic() - begin - passed:.0f} s, expected {task.seconds:.0f}")
        self._note(finished=not self.failed)
        return []

    def _do(self, task: Task) -> None:
        stamp = {"busy": settled(), "state": self._state, "day": today()}
        try:
            found = task.measure()
        except SideFailed as failure:
            # One that fails must not take the others' results away, nor leave an older figure.
            self.failed[task.name] = str(failure)
            self._results.drop(task.part, task.case)
            _say(f"    failed: {failure}")
            return
        self._results.keep(task.part, task.case, stamp | found)
        self.done.append(task.name)
        self._note(finished=False)

    def _note(self, *, finished: bool) -> None:
        self._results.write(
            JOURNAL,
            {"identity": self._identity, "done": self.done, "finished": finished},
        )


def today() -> str:
    """The date, in UTC."""
    return datetime.now(UTC).date().isoformat()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
