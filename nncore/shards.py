"""The shards of a batch: how many there are, and sums over all of them.

The number is a part of what is computed, for it decides the last bits of the results. Hence it
follows from the task alone, never from the machine.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T", float, np.ndarray[Any, Any])

_WORTH_DIVIDING = 1 << 24
_WORTH_DIVIDING_A_STEP = 2_500_000


def shards_for(flops: int, steps: int) -> int:
    """How many shards suit a batch whose forward pass takes so many floating-point operations.

    Below, handing the parts to threads takes longer than computing them one after the other. So it
    does where recurrent layers take many `steps` with little to do in each: between their products
    the threads wait for the interpreter's lock.
    """
    return 2 if flops >= max(_WORTH_DIVIDING, steps * _WORTH_DIVIDING_A_STEP) else 1


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
