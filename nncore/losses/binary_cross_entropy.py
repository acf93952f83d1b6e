"""Binary cross-entropy of logits z and targets t in [0, 1], one term an element.

l = -w t log s(z) - (1 - t) log(1 - s(z)) with s the logistic function and w = `pos_weight`, the
weight of the answer yes; computed from log(1 + exp(-|z|)), which overflows nowhere.
dl/dz = s(z) (1 - t + w t) - w t. `label_smoothing` e draws targets together: t (1 - e) + e / 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.documents.hints import if_given
from nncore.documents.limits import Range
from nncore.losses.elementwise import Elementwise
from nncore.losses.loss import check_values
from nncore.registry import register
from nncore.shapes import Shape

Weight = Annotated[float, Range(min=0)]


@register("binary_cross_entropy")
@dataclass(frozen=True, slots=True)
class BinaryCrossEntropy(Elementwise):
    """Cross-entropy of independent yes-or-no outputs, given as logits."""

    absorbs: ClassVar[str | None] = "sigmoid"

    label_smoothing: Annotated[float, Range(min=0, max=1)] = if_given(0.0)
    pos_weight: Weight | tuple[Weight, ...] | None = if_given()

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        check_values("binary_cross_entropy", output_shape, targets)
        if targets.size and not (targets.min() >= 0 and targets.max() <= 1):
            raise ValueError(
                "binary_cross_entropy needs targets from 0 to 1, got "
                f"{targets.min()} to {targets.max()}; use cross_entropy for several classes"
            )
        weights = self.pos_weight
        if isinstance(weights, tuple) and len(weights) != output_shape[-1]:
            raise ValueError(
                f"binary_cross_entropy's pos_weight needs one number for each of the "
                f"{output_shape[-1]} outputs, got {len(weights)}"
            )

    def elements(self, outputs: Array, wanted: Array) -> tuple[Array, Array]:
        if self.label_smoothing:
            wanted = wanted * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        shares = self.predictions(outputs)
        beyond = np.log1p(np.exp(-np.abs(outputs)))  # the lesser of -log s(z), -log(1 - s(z))
        if self.pos_weight is None:
            values = np.maximum(outputs, 0) - wanted * outputs + beyond
            shares -= wanted
            return values, shares
        yes = wanted * np.asarray(self.pos_weight, outputs.dtype)
        no = 1 - wanted
        values = yes * (np.maximum(-outputs, 0) + beyond) + no * (np.maximum(outputs, 0) + beyond)
        shares *= yes + no
        shares -= yes
        return values, shares

    def predictions(self, outputs: Array) -> Array:
        probabilities: Array = 0.5 * np.tanh(0.5 * outputs) + 0.5
        return probabilities
