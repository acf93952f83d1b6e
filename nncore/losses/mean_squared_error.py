"""Mean squared error over examples and elements: L = mean (y - t)^2, dL/dy = 2 (y - t) / terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.losses.loss import Loss, check_values, like_outputs
from nncore.registry import register
from nncore.shapes import Shape


@register("mean_squared_error")
@dataclass(frozen=True, slots=True)
class MeanSquaredError(Loss):
    """Mean of the squared differences over all elements."""

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        check_values("mean_squared_error", output_shape, targets)

    def forward(self, outputs: Array, targets: AnyArray, terms: int) -> tuple[float, Array]:
        errors = outputs - like_outputs(targets, outputs)
        share = 1 / max(terms, 1)
        value = float(np.square(errors).sum(dtype=np.float64)) * share
        errors *= 2 * share
        return value, errors
