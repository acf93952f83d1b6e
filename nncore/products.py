"""Matrix products into given arrays, and gradients that are such."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array, Params
from nncore.blocks import SMALL
from nncore.passes import Pass

_FEW = 16
# Blocks of a matrix that OpenBLAS reads where it lies: wide where its rows are contiguous, narrow
# where its columns are.
_WIDE, _NARROW = 256, 64


def product(a: Array, b: Array, out: Array, pass_: Pass) -> None:
    """Write the product of a matrix or vector a and a matrix b into a contiguous array."""
    if not a.dtype == b.dtype == out.dtype:
        pass_.do(np.matmul, a, b, out)
    elif a.ndim == 2 and 1 < len(a) <= _FEW and len(a) * b.size > SMALL:
        _of_few_rows(a, b, out, pass_)
    else:
        # ndarray.dot reaches BLAS in a quarter of np.matmul's time, but knows no mixed precisions.
        pass_.do(a.dot, b, out)


def _of_few_rows(a: Array, b: Array, out: Array, pass_: Pass) -> None:
    """The product from small ones, for which OpenBLAS does not copy b: that would cost more."""
    rows, (depth, width) = len(a), b.shape
    columns = _divisor(width, _WIDE if b.flags.c_contiguous else _NARROW)
    share = _divisor(depth, SMALL // (rows * columns))
    if 4 * rows * columns * share < min(SMALL, rows * b.size):
        pass_.do(a.dot, b, out)  # sizes that cannot be divided well
        return
    parts, blocks = depth // share, width // columns
    terms = out[None] if parts == 1 else pass_.scratch("terms", (parts, rows, width), out.dtype)
    pass_.do(
        np.matmul,
        a.reshape(rows, parts, 1, share).transpose(1, 2, 0, 3),
        b.reshape(parts, share, blocks, columns).transpose(0, 2, 1, 3),
        terms.reshape(parts, rows, blocks, columns).transpose(0, 2, 1, 3),
    )
    if parts > 1:
        pass_.do(np.add.reduce, terms, 0, None, out)


def _divisor(size: int, most: int) -> int:
    """The greatest divisor of a size that is at most so much."""
    return next(divisor for divisor in range(min(size, most), 0, -1) if size % divisor == 0)


def kernel_gradient(weight: str, x: Array, dy: Array, pass_: Pass) -> Params:
    """The gradient x^T dy of a weight, x (R, I), dy (R, O), by its short name.

    Nothing where the run takes x and dy themselves.
    """
    if pass_.keeps_factors(weight, x, dy):
        return {}
    gradient = pass_.gradient(weight, (x.shape[1], dy.shape[1]), x.dtype)
    product(x.T, dy, gradient, pass_)
    return {weight: gradient}
