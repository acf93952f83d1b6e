"""Runs `worker` or `service.cli.serve` so that it can be told to kill itself at a named point.

    python -m tests.faults.crashing worker

The points are seen from outside, as events of SQLAlchemy and signals of Celery: each statement that
writes, the time before and after each commit, each message's publishing and each task. A plan, a
file beside the service's data, names the point where the process is to die; `crash_points` writes
it. Without a plan a point costs a look for that file.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from celery import signals
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

_WRITE = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)", re.IGNORECASE)
_STORE = "service.store."


@dataclass(frozen=True, order=True)
class Point:
    """The `ordinal`th time (from 1) that a process of this role comes by."""

    role: str  # "api", "parent", "child"
    name: str
    ordinal: int

    def __str__(self) -> str:
        return f"{self.role}: {self.name} ({self.ordinal})"


@dataclass(frozen=True)
class Plan:
    """Where processes are to die, one after the other; `records`: note every point after that."""

    stage: str  # ordinals are counted anew with each stage
    crashes: tuple[Point, ...] = ()
    records: bool = False

    def write(self, directory: Path) -> None:
        """Put it where the processes look, at one instant."""
        fresh = directory / f"plan.{os.getpid()}"
        fresh.write_text(json.dumps(asdict(self)))
        fresh.rename(_plan_file(directory))


@dataclass
class Seen:
    """What a directory tells afterwards."""

    passed: list[Point] = field(default_factory=list)
    died: list[Point] = field(default_factory=list)
    died_at: float = 0.0  # the last of them, as `time.time` counts


def look(directory: Path) -> Seen:
    """What the processes have noted: the points that they passed and those that they died at."""
    seen = Seen()
    with suppress(FileNotFoundError):
        for line in _notes_file(directory).read_text().splitlines():
            note = json.loads(line)
            died_at = note.pop("died_at")
            (seen.died if died_at else seen.passed).append(Point(**note))
            seen.died_at = died_at or seen.died_at
    return seen


def clear(directory: Path) -> None:
    """Take the plan back and forget what was noted."""
    _plan_file(directory).unlink(missing_ok=True)
    _notes_file(directory).unlink(missing_ok=True)


def _plan_file(directory: Path) -> Path:
    return directory / "crash-plan.json"


def _notes_file(directory: Path) -> Path:
    return directory / "crash-notes.jsonl"


class Points:
    """This process' side of the plan."""

    def __init__(self, module: str, directory: Path) -> None:
        self._module = module
        self._directory = directory
        self._first = os.getpid()
        self._stage = ""
        self._counts: dict[str, int] = {}
        self._transaction = threading.local()

    def install(self) -> None:
        """Listen to whatever libraries tell of commits, statements, messages and tasks."""
        event.listen(Engine, "after_cursor_execute", self._written)
        event.listen(Session, "after_begin", lambda *_: setattr(self._transaction, "last", ""))
        event.listen(Session, "before_commit", lambda _: self._commit("before"))
        event.listen(Session, "after_commit", lambda _: self._commit("after"))
        for signal_of, name in (
            (signals.before_task_publish, "before publishing"),
            (signals.after_task_publish, "after publishing"),
            (signals.task_prerun, "before the task"),
            (signals.task_postrun, "after the task"),
        ):
            signal_of.connect(lambda name=name, **_: self.reach(name), weak=False)

    def reach(self, name: str) -> None:
        """The process comes by a point: it may die here."""
        plan = self._plan()
        if plan is None:
            return
        if plan.stage != self._stage:
            self._stage, self._counts = plan.stage, {}
        self._counts[name] = self._counts.get(name, 0) + 1
        here = Point(self._role, name, self._counts[name])
        if plan.crashes:
            if plan.crashes[0] == here and self._take():
                self._note(here, time.time())
                Plan(plan.stage + "+", plan.crashes[1:], plan.records).write(self._directory)
                os.kill(os.getpid(), signal.SIGKILL)
        elif plan.records:
            self._note(here, None)

    @property
    def _role(self) -> str:
        if self._module != "worker":
            return "api"
        return "parent" if os.getpid() == self._first else "child"

    def _plan(self) -> Plan | None:
        try:
            found = json.loads(_plan_file(self._directory).read_text())
        except FileNotFoundError:
            return None
        crashes = tuple(Point(**each) for each in found["crashes"])
        return Plan(found["stage"], crashes, found["records"])

    def _take(self) -> bool:
        """Of several processes at the same point only one gets to die."""
        with suppress(FileNotFoundError):
            _plan_file(self._directory).rename(self._directory / f"plan.{os.getpid()}.taken")
            return True
        return False

    def _note(self, point: Point, died_at: float | None) -> None:
        line = json.dumps(asdict(point) | {"died_at": died_at}) + "\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        file = os.open(_notes_file(self._directory), flags, 0o644)
        os.write(file, line.encode())  # one call, so that lines of several processes do not mix
        os.close(file)

    def _written(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if match := _WRITE.match(statement):
            self._transaction.last = f"{_owner()}: {match[1].split()[0].upper()} {match[2]}"
            self.reach(self._transaction.last)

    def _commit(self, when: str) -> None:
        if last := getattr(self._transaction, "last", ""):  # else there is nothing to commit
            self.reach(f"{when} the commit that ends with {last}")


def _owner() -> str:
    """The function of the store that was called from elsewhere, by which a statement is known."""
    frame, found = sys._getframe(2), "the commit itself"
    while frame.f_back is not None:
        frame = frame.f_back
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_STORE) and module != "service.store.database":
            found = f"{module.removeprefix(_STORE)}.{frame.f_code.co_name}"
    return found


def main(arguments: Sequence[str]) -> None:
    """Become the module that is named, with an eye on its points."""
    module, *rest = arguments
    Points(module, Path(os.environ["GRADSERVE_DATA_DIR"])).install()
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
