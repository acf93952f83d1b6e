"""Sums that NumPy does faster another way."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from nncore.arrays import Array

_SHORT = 1 << 10


def sum_rows(matrix: Array) -> Array:
    """The sum of the rows of a tall matrix (R, C), several times faster than `sum(axis=0)`."""
    return np.ones(len(matrix), matrix.dtype) @ matrix


def total(vector: Array) -> float:
    """The sum of a vector."""
    if len(vector) <= _SHORT:
        # A product starts four times as fast; on long vectors a sum loses fewer digits.
        return float(vector.dot(_ones(len(vector), vector.dtype)))
    return float(np.add.reduce(vector))


@functools.lru_cache(maxsize=64)
def _ones(size: int, dtype: np.dtype[Any]) -> Array:
    ones = np.ones(size, dtype)
    ones.flags.writeable = False
    return ones
