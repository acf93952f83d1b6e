"""Learning rates that fall along half a cosine, once or again and again.

cosine: alpha + (1 - alpha) (1 + cos(pi step / decay_steps)) / 2. cosine_restarts: the same from
the start in periods of growing length, each time with a lower top. Loshchilov and Hutter, 2017;
fields as in Keras.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from nncore.documents.limits import Range
from nncore.registry import register
from nncore.schedules.schedule import Schedule, Share
from nncore.shapes import Positive


@register("cosine")
@dataclass(frozen=True, slots=True)
class Cosine(Schedule):
    """From the learning rate to `alpha` of it over `decay_steps` (the run), along half a cosine."""

    alpha: Share = 0.0
    decay_steps: Positive | None = None

    def course(self, step: int, steps: int) -> float:
        return self.alpha + (1 - self.alpha) * half_cosine(step / (self.decay_steps or steps))


@register("cosine_restarts")
@dataclass(frozen=True, slots=True)
class CosineRestarts(Schedule):
    """Half a cosine of `first_decay_steps` (a third of the run), then again from the start.

    Each period is `t_mul` times as long as the one before, its top `m_mul` times as high.
    """

    first_decay_steps: Positive | None = None
    t_mul: Annotated[float, Range(min=1)] = 2.0
    m_mul: Annotated[float, Range(above=0)] = 1.0
    alpha: Share = 0.0

    def course(self, step: int, steps: int) -> float:
        turn, share = self._period(step / (self.first_decay_steps or -(-steps // 3)))
        return self.alpha + (1 - self.alpha) * self.m_mul**turn * half_cosine(share)

    def _period(self, time: float) -> tuple[int, float]:
        """The period's number and how much of it is over; the first one takes time 1."""
        if self.t_mul == 1:
            return math.floor(time), time % 1
        # The first k periods take (t_mul^k - 1) / (t_mul - 1).
        turn = math.floor(math.log(1 + time * (self.t_mul - 1), self.t_mul) + 1e-9)
        length = self.t_mul**turn
        return turn, max((time - (length - 1) / (self.t_mul - 1)) / length, 0.0)


def half_cosine(share: float) -> float:
    """From 1 at share 0 to 0 at share 1 and beyond."""
    return 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
