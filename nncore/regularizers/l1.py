"""Lasso penalty: factor * sum |w|, gradient factor * sign w. Tibshirani, 1996."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from nncore.arrays import Array
from nncore.documents.limits import Range
from nncore.registry import register
from nncore.regularizers.regularizer import Regularizer


@register("l1")
@dataclass(frozen=True, slots=True)
class L1(Regularizer):
    """factor * sum |w|."""

    factor: Annotated[float, Range(min=0)] = 0.01

    def penalty(self, weight: Array) -> float:
        return self.factor * float(np.abs(weight).sum(dtype=np.float64))

    def gradient(self, weight: Array) -> Array:
        signs: Array = np.sign(weight)
        signs *= self.factor
        return signs
