"""Threads that work on the parts of one task together, task after task."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class Crew:
    """So many members, the caller among them: it takes the first part and waits for the others.

    A pool's futures cost several times as much, which short steps would feel.
    """

    def __init__(self, members: int) -> None:
        self._tasks: list[SimpleQueue[Any]] = [SimpleQueue() for _ in range(members - 1)]
        self._results: list[SimpleQueue[Any]] = [SimpleQueue() for _ in range(members - 1)]
        self._threads: list[threading.Thread] = []

    def __len__(self) -> int:
        return len(self._tasks) + 1

    def run(self, work: Callable[[int], T], parts: int) -> list[T]:
        """What `work` gives for the parts 0 ... parts - 1, at most one for each member.

        Raises the error of the first part that failed by itself, when all have ended.
        """
        if parts == 1:
            return [work(0)]
        if not self._threads:
            self._start()
        for place in range(1, parts):
            self._tasks[place - 1].put(work)
        outcomes = [_outcome(work, 0)]
        outcomes += [self._results[place - 1].get() for place in range(1, parts)]
        errors = [error for _, error in outcomes if error is not None]
        # One that fails makes the others give up at their next meeting.
        own = [error for error in errors if not isinstance(error, threading.BrokenBarrierError)]
        for error in own or errors:
            raise error
        return [result for result, _ in outcomes]  # type: ignore[misc]  # none failed

    def close(self) -> None:
        """End the threads."""
        for tasks, thread in zip(self._tasks, self._threads, strict=False):
            tasks.put(None)
            thread.join()
        self._threads = []

    def _start(self) -> None:
        for place in range(1, len(self)):
            thread = threading.Thread(
                target=self._serve, args=(place,), name=f"shard {place}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def _serve(self, place: int) -> None:
        tasks, results = self._tasks[place - 1], self._results[place - 1]
        # Overflow is looked for in the results; a warning for each would only repeat it.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            while (work := tasks.get()) is not None:
                results.put(_outcome(work, place))


def _outcome(work: Callable[[int], T], place: int) -> tuple[T | None, BaseException | None]:
    try:
        return work(place), None
    except BaseException as error:
        return None, error
