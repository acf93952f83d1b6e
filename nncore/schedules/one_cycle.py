"""A learning rate that rises and then falls, once over the run.

From 1 / div_factor up to 1 in the first `pct_start` of the run, then down to
1 / (div_factor final_div_factor), along half cosines or straight lines. Smith and Topin, 2018; as
in PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from nncore.documents.limits import Range
from nncore.registry import register
from nncore.schedules.cosine import half_cosine
from nncore.schedules.schedule import Schedule, Share


@register("one_cycle")
@dataclass(frozen=True, slots=True)
class OneCycle(Schedule):
    """Up to the learning rate, then down to next to nothing."""

    pct_start: Share = 0.3
    div_factor: Annotated[float, Range(min=1)] = 25.0
    final_div_factor: Annotated[float, Range(min=1)] = 10_000.0
    anneal_strategy: Literal["cos", "linear"] = "cos"

    def course(self, step: int, steps: int) -> float:
        top, end = self.pct_start * steps - 1, steps - 1
        low = 1 / self.div_factor
        if step <= top:
            return self._between(low, 1.0, step / top if top else 1.0)
        share = (step - top) / (end - top) if end > top else 1.0
        return self._between(1.0, low / self.final_div_factor, min(share, 1.0))

    def _between(self, start: float, end: float, share: float) -> float:
        left = half_cosine(share) if self.anneal_strategy == "cos" else 1 - share
        return end + (start - end) * left
