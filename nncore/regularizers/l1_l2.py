"""Both penalties: l1 * sum |w| + l2 * sum w^2 (the elastic net). Zou and Hastie, 2005."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from nncore.arrays import Array
from nncore.documents.limits import Range
from nncore.registry import register
from nncore.regularizers.l1 import L1
from nncore.regularizers.l2 import L2
from nncore.regularizers.regularizer import Regularizer


@register("l1_l2")
@dataclass(frozen=True, slots=True)
class L1L2(Regularizer):
    """l1 * sum |w| + l2 * sum w^2."""

    l1: Annotated[float, Range(min=0)] = 0.0
    l2: Annotated[float, Range(min=0)] = 0.0

    def penalty(self, weight: Array) -> float:
        return L1(self.l1).penalty(weight) + L2(self.l2).penalty(weight)

    def gradient(self, weight: Array) -> Array:
        return L1(self.l1).gradient(weight) + L2(self.l2).gradient(weight)
