"""A learning rate that stays as it is: factor 1."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.registry import register
from nncore.schedules.schedule import Schedule


@register("constant")
@dataclass(frozen=True, slots=True)
class Constant(Schedule):
    """The optimizer's learning rate, unchanged."""

    def course(self, step: int, steps: int) -> float:
        return 1.0
