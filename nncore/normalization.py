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
    """Rows (R, D) with mean 0 and variance 1, and the factor (R, 1) that made it so.

    Mean and variance are over the values whose `weights` (R, D) are 1, not 0; None: over all.
    """

    rows: Array
    factor: Array
    weights: Array | None = None


def normalize_rows(
    x: Array, epsilon: float, pass_: Pass, weights: Array | None = None
) -> Normalized:
    """(x - mean) / sqrt(variance + epsilon) for each row of x (R, D)."""
    if weights is not None:
        return _normalize_weighted(x, epsilon, weights, pass_)
    width = max(x.shape[1], 1)
    rows = pass_.buffer("normalized", x.shape, x.dtype)
    np.subtract(x, x.mean(axis=1, keepdims=True), out=rows)
    variance = np.einsum("rd,rd->r", rows, rows)[:, None] / width
    factor = 1 / np.sqrt(variance + np.array(epsilon, x.dtype))
    rows *= factor
    return Normalized(rows, factor)


def _normalize_weighted(x: Array, epsilon: float, weights: Array, pass_: Pass) -> Normalized:
    rows, counts = pass_.buffer("normalized", x.shape, x.dtype), _counts(weights)
    np.subtract(x, np.einsum("rd,rd->r", x, weights)[:, None] / counts, out=rows)
    variance = np.einsum("rd,rd,rd->r", rows, rows, weights)[:, None] / counts
    factor = 1 / np.sqrt(variance + np.array(epsilon, x.dtype))
    rows *= factor
    return Normalized(rows, factor, weights)


def _counts(weights: Array) -> Array:
    counts: Array = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    return counts


def normalize_rows_back(normalized: Normalized, slopes: Array) -> Array:
    """The gradient of x from that of the normalized rows, which is overwritten."""
    if normalized.weights is not None:
        counts = _counts(normalized.weights)
        along = np.einsum("rd,rd->r", slopes, normalized.rows)[:, None] / counts
        pull = normalized.rows * along
        pull += slopes.sum(axis=1, keepdims=True) / counts
        slopes -= np.multiply(pull, normalized.weights, out=pull)
        slopes *= normalized.factor
        return slopes
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
