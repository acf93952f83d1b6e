"""A learning rate that falls as a power: end + (1 - end) (1 - step / decay_steps)^power.

After `decay_steps` (the whole run if not given) it stays at `end_factor`. As in Keras.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from nncore.documents.limits import Range
from nncore.registry import register
from nncore.schedules.schedule import Schedule, Share
from nncore.shapes import Positive


@register("polynomial")
@dataclass(frozen=True, slots=True)
class Polynomial(Schedule):
    """From the learning rate to `end_factor` of it, in a straight line or as a power."""

    power: Annotated[float, Range(above=0)] = 1.0
    end_factor: Share = 0.0
    decay_steps: Positive | None = None

    def course(self, step: int, steps: int) -> float:
        left = max(1 - step / (self.decay_steps or steps), 0.0)
        return float(self.end_factor + (1 - self.end_factor) * left**self.power)
