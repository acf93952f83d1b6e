"""Cross-entropy of logits z and an integer class t, one term an example and position.

L = log(sum_j exp z_j) - z_t, dL/dz_i = softmax(z)_i - [i = t]; the largest z is subtracted first,
so that nothing overflows. Outputs (N, ..., C), targets (N, ...) with classes 0 ... C - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.losses.loss import Loss
from nncore.registry import register
from nncore.shapes import Shape, fits, written


@register("cross_entropy")
@dataclass(frozen=True, slots=True)
class CrossEntropy(Loss):
    """Cross-entropy of one class among several, given as logits."""

    absorbs: ClassVar[str | None] = "softmax"

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        if targets.dtype.kind not in "iu":
            raise ValueError(
                f"cross_entropy needs integer classes as targets, got {targets.dtype}; "
                "encode labels as 0, 1, 2, ..."
            )
        positions, classes = output_shape[:-1], output_shape[-1]
        if not fits(targets.shape[1:], positions):
            raise ValueError(
                f"cross_entropy needs one class for each position, targets (N, "
                f"*{written(positions)}) for outputs (N, *{written(output_shape)}), "
                f"got {targets.shape}"
            )
        if targets.size and not (targets.min() >= 0 and targets.max() < (classes or np.inf)):
            raise ValueError(
                f"cross_entropy needs classes from 0 to {(classes or 0) - 1}, got {targets.min()} "
                f"to {targets.max()}; the network's last layer must give one value a class"
            )

    def forward(self, outputs: Array, targets: AnyArray, terms: int) -> tuple[float, Array]:
        logits = outputs.reshape(targets.size, outputs.shape[-1])
        rows, classes = np.arange(targets.size), targets.reshape(-1)
        shifted = logits - logits.max(axis=-1, keepdims=True)
        chosen = shifted[rows, classes]
        powers = np.exp(shifted, out=shifted)
        totals = powers.sum(axis=-1, keepdims=True)
        value = np.log(totals[:, 0]).sum(dtype=np.float64) - chosen.sum(dtype=np.float64)
        share = 1 / max(terms, 1)
        powers /= totals
        powers[rows, classes] -= 1
        powers *= share
        return float(value) * share, powers.reshape(outputs.shape)

    def predictions(self, outputs: Array) -> Array:
        powers: Array = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
        powers /= powers.sum(axis=-1, keepdims=True)
        return powers
