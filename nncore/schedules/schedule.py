"""The protocol of learning rate schedules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from nncore.documents.limits import Range
from nncore.registry import Unit, kind

Memory = dict[str, float]
"""What a schedule that follows a figure remembers: finite numbers by name."""

Share = Annotated[float, Range(min=0, max=1)]


@kind
@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Unit):
    """How the learning rate changes over a run.

    The k-th of `warmup_steps` first steps takes k / warmup_steps of the rate; then the schedule's
    own course begins.
    """

    warmup_steps: Annotated[int, Range(min=0)] = 0

    def factor(self, step: int, steps: int) -> float:
        """The factor of the optimizer's learning rate at step `step` (from 0) of `steps`."""
        if step < self.warmup_steps:
            return self.course(0, max(steps - self.warmup_steps, 1)) * self._warm(step)
        return self.course(step - self.warmup_steps, max(steps - self.warmup_steps, 1))

    def _warm(self, step: int) -> float:
        return (step + 1) / self.warmup_steps

    def course(self, step: int, steps: int) -> float:
        """`factor` after the warm-up, steps counted from there."""
        raise NotImplementedError

    def watched(self) -> str | None:
        """The figure (`loss`, `val_loss`, metrics) that `after_epoch` needs, if any."""
        return None

    def after_epoch(self, memory: Memory, figures: Mapping[str, float]) -> Memory:
        """The memory after an epoch with these figures (`loss`, `val_loss`, metrics).

        It starts empty; its `factor`, where there is one, multiplies those of the steps to come.
        """
        return memory
