"""What the normalizing layers share: rows brought to mean 0 and variance 1, and feature axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.errors import ArchitectureError
from nncore.passes import Pass
from nncore.shapes import Shape, written


@dataclass(frozen=True, slots=True)
class Normalized:
    """Rows (R, D) with mean 0 and variance 1, and the factor (R, 1) that made it so."""

    rows: Array
    factor: Array


def normalize_rows(x: Array, epsilon: float, pass_: Pass) -> Normalized:
    """(x - mean) / sqrt(variance + epsilon) for each row of x (R, D)."""
    width = max(x.shape[1], 1)
    rows = pass_.buffer("normalized", x.shape, x.dtype)
    np.subtract(x, x.mean(axis=1, keepdims=True), out=rows)
    variance = np.einsum("rd,rd->r", rows, rows)[:, None] / width
    factor = 1 / np.sqrt(variance + np.array(epsilon, x.dtype))
    rows *= factor
    return Normalized(rows, factor)


def normalize_rows_back(normalized: Normalized, slopes: Array) -> Array:
    """The gradient of x from that of the normalized rows, which is overwritten."""
    rows, width = normalized.rows, max(slopes.shape[1], 1)
    along = np.einsum("rd,rd->r", slopes, rows)[:, None] / width
    slopes -= slopes.mean(axis=1, keepdims=True)
    slopes -= rows * along
    slopes *= normalized.factor
    return slopes


def feature_axis(axis: int, shape: Shape, layer: str) -> int:
    """An `axis` field as an index of the shape of one example.

    As in Keras, axis 0 of a document is the batch, so that 1 is the first axis of an example and
    -1 the last. Raises ArchitectureError.
    """
    index = axis - 1 if axis > 0 else axis + len(shape)
    if axis == 0 or not 0 <= index < len(shape):
        raise ArchitectureError(
            "/axis",
            f"{axis} is no axis of the input's shape {written(shape)}; "
            f"-1 is the last, 1 the first, 0 the batch",
        )
    if shape[index] is None:
        raise ArchitectureError("/axis", f"{layer} needs an axis of known size, got null")
    return index
