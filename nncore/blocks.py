"""Products of few rows with wide weights, cut into blocks of columns.

Up to a million multiplications OpenBLAS works on the matrices where they are; larger ones it copies
first, which costs as much as the product itself if there are but few rows. In blocks the step of a
recurrent layer of 256 units with 32 examples takes half the time.
"""

from __future__ import annotations

from nncore.arrays import Array

SMALL = 1_000_000
"""Multiplications of the largest product that is done in place."""


def tiling(units: int, rows: int, depth: int, depth_back: int) -> tuple[int, int]:
    """How many units make a block in products (rows, depth) x (depth, units); parts of the rows.

    `depth_back` is that of the products on the way back, which can be cut as well.
    """
    if units % 64 == 0 and rows * max(depth, depth_back) * 64 <= SMALL:
        return 64, 1
    parts = 1
    while rows % (2 * parts) == 0 and rows // parts * depth * 32 > SMALL:
        parts *= 2
    fits = units % 32 == 0 and rows // parts * depth * 32 <= SMALL
    return (32, parts) if fits else (units, 1)


def in_blocks(array: Array, width: int) -> Array:
    """(..., N, C) as a view (..., C / width, N, width)."""
    shape = (*array.shape[:-1], array.shape[-1] // width, width)
    return array.reshape(shape, copy=False).swapaxes(-2, -3)


def in_parts(array: Array, parts: int) -> Array:
    """(..., N, C) as a view (..., parts, N / parts, C)."""
    shape = (*array.shape[:-2], parts, array.shape[-2] // parts, array.shape[-1])
    return array.reshape(shape, copy=False)
