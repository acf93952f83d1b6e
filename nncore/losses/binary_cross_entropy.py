"""Binary cross-entropy of logits z and targets t in [0, 1], one term an element.

L = -t log s(z) - (1 - t) log(1 - s(z)) = max(z, 0) - t z + log(1 + exp(-|z|)), which overflows
nowhere; dL/dz = s(z) - t, with s the logistic function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.losses.loss import Loss, check_values, like_outputs
from nncore.registry import register
from nncore.shapes import Shape


@register("binary_cross_entropy")
@dataclass(frozen=True, slots=True)
class BinaryCrossEntropy(Loss):
    """Cross-entropy of independent yes-or-no outputs, given as logits."""

    absorbs: ClassVar[str | None] = "sigmoid"

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        check_values("binary_cross_entropy", output_shape, targets)
        if targets.size and not (targets.min() >= 0 and targets.max() <= 1):
            raise ValueError(
                "binary_cross_entropy needs targets from 0 to 1, got "
                f"{targets.min()} to {targets.max()}; use cross_entropy for several classes"
            )

    def forward(self, outputs: Array, targets: AnyArray, terms: int) -> tuple[float, Array]:
        wanted = like_outputs(targets, outputs)
        values = np.maximum(outputs, 0) - wanted * outputs + np.log1p(np.exp(-np.abs(outputs)))
        share = 1 / max(terms, 1)
        gradient = self.predictions(outputs)
        gradient -= wanted
        gradient *= share
        return float(values.sum(dtype=np.float64)) * share, gradient

    def predictions(self, outputs: Array) -> Array:
        probabilities: Array = 0.5 * np.tanh(0.5 * outputs) + 0.5
        return probabilities
