"""The protocol of learning rate schedules."""

from __future__ import annotations

from collections.abc import Mapping

from nncore.registry import Unit, kind

Memory = dict[str, float]
"""What a schedule that follows a figure remembers: finite numbers by name."""


@kind
class Schedule(Unit):
    """How the learning rate changes over a run."""

    __slots__ = ()

    def factor(self, step: int, steps: int) -> float:
        """The factor of the optimizer's learning rate at step `step` (from 0) of `steps`."""
        raise NotImplementedError

    def after_epoch(self, memory: Memory, figures: Mapping[str, float]) -> Memory:
        """The memory after an epoch with these figures (`loss`, `val_loss`, metrics).

        It starts empty; its `factor`, where there is one, multiplies those of the steps to come.
        """
        return memory
