"""A learning rate that falls exponentially: decay_rate^(step / decay_steps), as in Keras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from nncore.documents.limits import Range
from nncore.registry import register
from nncore.schedules.schedule import Schedule
from nncore.shapes import Positive


@register("exponential")
@dataclass(frozen=True, slots=True)
class Exponential(Schedule):
    """The learning rate times `decay_rate` every `decay_steps` (the run), evenly or in steps."""

    decay_rate: Annotated[float, Range(above=0)] = 0.1
    decay_steps: Positive | None = None
    staircase: bool = False

    def course(self, step: int, steps: int) -> float:
        period = self.decay_steps or steps
        return float(self.decay_rate ** (step // period if self.staircase else step / period))
