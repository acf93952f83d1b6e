"""Ridge penalty: factor * sum w^2, gradient 2 factor w. Hoerl and Kennard, 1970."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from nncore.arrays import Array
from nncore.documents.limits import Range
from nncore.registry import register
from nncore.regularizers.regularizer import Regularizer


@register("l2")
@dataclass(frozen=True, slots=True)
class L2(Regularizer):
    """factor * sum w^2."""

    factor: Annotated[float, Range(min=0)] = 0.01

    def penalty(self, weight: Array) -> float:
        return self.factor * float(np.square(weight).sum(dtype=np.float64))

    def gradient(self, weight: Array) -> Array:
        return weight * weight.dtype.type(2 * self.factor)
