"""The protocol of learning rate schedules."""

from __future__ import annotations

from nncore.registry import Unit, kind


@kind
class Schedule(Unit):
    """How the learning rate changes over a run."""

    __slots__ = ()

    def factor(self, step: int, steps: int) -> float:
        """The factor of the optimizer's learning rate at step `step` (from 0) of `steps`."""
        raise NotImplementedError
