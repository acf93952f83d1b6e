"""Matrix products into given arrays, and gradients that are such."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array, Params
from nncore.passes import Pass


def product(a: Array, b: Array, out: Array, pass_: Pass) -> None:
    """Write the product of a matrix or vector a and a matrix b into a contiguous array."""
    # ndarray.dot reaches BLAS in a quarter of np.matmul's time, but knows no mixed precisions.
    if a.dtype == b.dtype == out.dtype:
        pass_.do(a.dot, b, out)
    else:
        pass_.do(np.matmul, a, b, out)


def kernel_gradient(weight: str, x: Array, dy: Array, pass_: Pass) -> Params:
    """The gradient x^T dy of a weight, x (R, I), dy (R, O), by its short name.

    Nothing where the run takes x and dy themselves.
    """
    if pass_.keeps_factors(weight, x, dy):
        return {}
    gradient = pass_.gradient(weight, (x.shape[1], dy.shape[1]), x.dtype)
    product(x.T, dy, gradient, pass_)
    return {weight: gradient}
