"""Squared differences: their mean, the root of their mean, and half their sum.

mean_squared_error: L = mean (y - t)^2 over examples and elements, dL/dy = 2 (y - t) / terms.
root_mean_squared_error: L = sqrt(mean (y - t)^2) over the whole batch.
half_sum_squared_error: L = mean over examples and positions of sum (y - t)^2 / 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.losses.elementwise import Elementwise
from nncore.losses.loss import Mask
from nncore.registry import register


@register("mean_squared_error")
@dataclass(frozen=True, slots=True)
class MeanSquaredError(Elementwise):
    """Mean of the squared differences over all elements."""

    def elements(self, outputs: Array, wanted: Array) -> tuple[Array, Array]:
        errors = outputs - wanted
        values = np.square(errors)
        errors *= 2
        return values, errors


@register("root_mean_squared_error")
@dataclass(frozen=True, slots=True)
class RootMeanSquaredError(MeanSquaredError):
    """Root of the mean of the squared differences over the batch; its slope at 0 is taken as 0."""

    has_outer: ClassVar[bool] = True

    def outer(self, mean: float) -> tuple[float, float]:
        root = math.sqrt(mean) if mean >= 0 else math.nan
        return root, 0.5 / root if root else 0.0


@register("half_sum_squared_error")
@dataclass(frozen=True, slots=True)
class HalfSumSquaredError(Elementwise):
    """Half the sum of a vector's squared differences, mean over examples and positions."""

    def terms(self, targets: AnyArray, mask: Mask | None = None) -> int:
        width = targets.shape[-1] if targets.ndim > 1 else 1
        return Elementwise.terms(self, targets, mask) // max(width, 1)

    def elements(self, outputs: Array, wanted: Array) -> tuple[Array, Array]:
        errors = outputs - wanted
        values = np.square(errors)
        values *= 0.5
        return values, errors
