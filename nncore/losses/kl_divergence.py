"""Kullback and Leibler's divergence of a distribution t from the softmax of logits z.

l = sum_i t_i (log t_i - log softmax(z)_i), one term a position, with 0 log 0 = 0;
dl/dz = (sum_i t_i) softmax(z) - t. Kullback and Leibler, 1951.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.activations.softmax import softmax
from nncore.arrays import AnyArray, Array
from nncore.losses.loss import check_values
from nncore.losses.positionwise import Positionwise, softmax_rows
from nncore.registry import register
from nncore.shapes import Shape


@register("kl_divergence")
@dataclass(frozen=True, slots=True)
class KlDivergence(Positionwise):
    """Divergence of target distributions over classes from those that the logits stand for."""

    absorbs: ClassVar[str | None] = "softmax"

    def of_vectors(self, targets: AnyArray) -> bool:
        return True

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        check_values("kl_divergence", output_shape, targets)
        if targets.size and targets.min() < 0:
            raise ValueError(f"kl_divergence needs targets of at least 0, got {targets.min()}")

    def rows(self, outputs: Array, targets: AnyArray) -> tuple[Array, Array]:
        wanted = np.asarray(targets, outputs.dtype)
        shares, totals, logits = softmax_rows(outputs)
        logs = np.log(wanted, out=np.zeros_like(wanted), where=wanted > 0)
        values = (wanted * (logs - logits + totals[:, None])).sum(axis=-1)
        shares *= wanted.sum(axis=-1, keepdims=True)
        shares -= wanted
        return values, shares

    def predictions(self, outputs: Array) -> Array:
        return softmax(outputs)
