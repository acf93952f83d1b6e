"""Threads that work on the parts of one task together, task after task."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
_Outcome = tuple[Any, BaseException | None]


class Crew:
    """So many members, the caller among them: it takes the first part and waits for the others.

    A pool's futures cost several times as much, which short steps would feel. While they work, the
    members keep to processors of their own, if there are enough for all; between tasks the caller
    may go where it could before, so that it hands no narrow choice on to threads that it starts.
    """

    def __init__(self, members: int) -> None:
        self._members = members
        self._tasks: list[SimpleQueue[Any]] = []
        self._results: list[SimpleQueue[Any]] = []
        self._processors: set[int] | None = None  # the caller's while it works

    def __len__(self) -> int:
        return self._members

    def run(self, work: Callable[[int], T], parts: int) -> list[T]:
        """What `work` gives for the parts 0 ... parts - 1, at most one for each member.

        Raises the error of the first part that failed by itself, when all have ended.
        """
        if parts == 1:
            return [work(0)]
        if not self._tasks:
            self._start()
        if self._processors is None:
            outcomes = self._outcomes(work, parts)
        else:
            before = os.sched_getaffinity(0)
            _keep_to(self._processors)
            try:
                outcomes = self._outcomes(work, parts)
            finally:
                _keep_to(before)
        errors = [error for _, error in outcomes if error is not None]
        # One that fails makes the others give up at their next meeting.
        own = [error for error in errors if not isinstance(error, threading.BrokenBarrierError)]
        for error in own or errors:
            raise error
        return [result for result, _ in outcomes]

    def _outcomes(self, work: Callable[[int], T], parts: int) -> list[_Outcome]:
        for tasks in self._tasks[: parts - 1]:
            tasks.put(work)
        first = _outcome(work, 0)
        return [first, *(results.get() for results in self._results[: parts - 1])]

    def close(self) -> None:
        """End the threads."""
        for tasks in self._tasks:
            tasks.put(None)
        self._tasks, self._results = [], []

    def __del__(self) -> None:
        for tasks in self._tasks:
            tasks.put(None)

    def _start(self) -> None:
        groups = _groups(self._members)
        self._processors = groups[0]
        for place in range(1, self._members):
            self._tasks.append(SimpleQueue())
            self._results.append(SimpleQueue())
            arguments = (place, self._tasks[-1], self._results[-1], groups[place])
            threading.Thread(
                target=_serve, args=arguments, name=f"shard {place}", daemon=True
            ).start()


def _keep_to(processors: set[int]) -> None:
    """Have the calling thread run on these processors only."""
    # They may have been taken from the process since.
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, processors)


def _groups(members: int) -> list[set[int] | None]:
    """The processors of this process dealt out to the members; None: any.

    Schedulers were seen to leave two threads that keep waiting for each other on one processor.
    """
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(allowed) < members:
        return [None] * members
    return [set(allowed[place::members]) for place in range(members)]


def _serve(
    place: int, tasks: SimpleQueue[Any], results: SimpleQueue[Any], processors: set[int] | None
) -> None:
    if processors is not None:
        _keep_to(processors)
    # Overflow is looked for in the results; a warning for each would only repeat it.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        while (work := tasks.get()) is not None:
            results.put(_outcome(work, place))
            del work


def _outcome(work: Callable[[int], T], place: int) -> _Outcome:
    try:
        return work(place), None
    except BaseException as error:
        return None, error
