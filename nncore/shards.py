"""Where the shards of a batch meet: sums over all of them, the same for each to the last bit."""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T", float, np.ndarray[Any, Any])


class Meeting:
    """Adds up what each of several threads brings, in the order of their places.

    Every member must call `total` equally often. One that fails calls `leave`, and the others, who
    would wait for it for ever, get `threading.BrokenBarrierError`.
    """

    def __init__(self, members: int) -> None:
        self._barrier = threading.Barrier(members)
        self._brought: list[Any] = [None] * members

    def total(self, place: int, value: T) -> T:
        """The sum of what all members bring to this call."""
        self._brought[place] = value
        self._barrier.wait()
        first, *others = self._brought
        total = first
        for other in others:
            total = total + other
        # Nobody may bring the next value before everybody has read these.
        self._barrier.wait()
        return total  # type: ignore[no-any-return]  # the members agree on T among themselves

    def leave(self) -> None:
        """Wake up the others: this member will not come again."""
        self._barrier.abort()
