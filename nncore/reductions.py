"""Sums that NumPy does faster another way."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array


def sum_rows(matrix: Array) -> Array:
    """The sum of the rows of a tall matrix (R, C), several times faster than `sum(axis=0)`."""
    return np.ones(len(matrix), matrix.dtype) @ matrix
