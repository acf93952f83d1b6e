"""Mean absolute error: L = mean |y - t|, dL/dy = sign(y - t) / terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.losses.elementwise import Elementwise
from nncore.registry import register


@register("mean_absolute_error")
@dataclass(frozen=True, slots=True)
class MeanAbsoluteError(Elementwise):
    """Mean of the absolute differences over all elements."""

    def elements(self, outputs: Array, wanted: Array) -> tuple[Array, Array]:
        errors = outputs - wanted
        return np.abs(errors), np.sign(errors)
