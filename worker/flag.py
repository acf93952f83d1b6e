"""A flag that a parent process raises for the children that it forked, or forks later."""

from __future__ import annotations

from mmap import mmap


class Flag:
    """A byte of shared memory.

    There is no lock in it, unlike in multiprocessing's Event: a child that is killed while it looks
    at such an event leaves the lock taken, and nobody could look or raise it any more.
    """

    def __init__(self) -> None:
        self._memory = mmap(-1, 1)

    def set(self) -> None:
        """Raise it; it stays so."""
        self._memory[0] = 1

    def is_set(self) -> bool:
        """Whether it was raised."""
        return self._memory[0] == 1
