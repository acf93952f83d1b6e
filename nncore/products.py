"""Matrix products into given arrays."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.passes import Pass


def product(a: Array, b: Array, out: Array, pass_: Pass) -> None:
    """Write the product of a matrix or vector a and a matrix b into a contiguous array."""
    # np.dot reaches BLAS in half of np.matmul's time, but knows no mixed precisions.
    same = a.dtype == b.dtype == out.dtype
    pass_.do(np.dot if same else np.matmul, a, b, out)
