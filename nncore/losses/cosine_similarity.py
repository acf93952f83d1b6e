"""Cosine of the angle between outputs and targets, as something to lower: l = -y.t / (|y| |t|).

One term a position. dl/dy = -(t' - (y'.t') y') / |y| with y' = y / |y|, t' = t / |t|; a vector of
length 0 has similarity 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.losses.loss import check_values
from nncore.losses.positionwise import Positionwise
from nncore.registry import register
from nncore.shapes import Shape

_SMALLEST = 1e-12  # squared length below which a vector counts as 0, as in Keras


@register("cosine_similarity")
@dataclass(frozen=True, slots=True)
class CosineSimilarity(Positionwise):
    """From -1, the same direction, over 0, at right angles, to 1, the opposite one."""

    def of_vectors(self, targets: AnyArray) -> bool:
        return True

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        check_values("cosine_similarity", output_shape, targets.reshape(_column(targets)))

    def rows(self, outputs: Array, targets: AnyArray) -> tuple[Array, Array]:
        y, shrink = _directions(outputs)
        t, _ = _directions(np.asarray(targets, outputs.dtype))
        cosines = (y * t).sum(axis=-1)
        return -cosines, (cosines[:, None] * y - t) * shrink


def _column(targets: AnyArray) -> tuple[int, ...]:
    return (*targets.shape, 1) if targets.ndim == 1 else targets.shape


def _directions(vectors: Array) -> tuple[Array, Array]:
    squares = np.square(vectors).sum(axis=-1, keepdims=True)
    shrink: Array = 1 / np.sqrt(np.maximum(squares, _SMALLEST))
    return vectors * shrink, shrink
