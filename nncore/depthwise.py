"""Depthwise correlation: each channel meets filters of its own, tap by tap.

x (N, H, W, C), kernel (KH, KW, C, M), y (N, OH, OW, C M): channel c gives y's channels c M to
c M + M - 1. Some examples at a time, so that they stay in cache from tap to tap.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nncore.arrays import Array
from nncore.passes import Pass
from nncore.reductions import sum_rows
from nncore.shapes import Shape, elements
from nncore.taps import framed, framed_shape, inside, taps
from nncore.windows import Windows

_TILE_BYTES = 1 << 18
_BYTES = 4


def depthwise_scratch(shape: Shape, windows: Windows, multiplier: int, examples: int) -> int:
    """Numbers that the passes over images of a shape work with."""
    image, filters = windows.sized((shape[0], shape[1])), elements(shape[2:]) * multiplier
    rows, columns = windows.counts(image)
    frame, y = elements(windows.framed(image)) * filters, rows * columns * filters
    each = max(elements(image) * filters // multiplier, y, 1)
    many = min(examples, max(1, _TILE_BYTES // _BYTES // each))
    repeated = elements(image) * filters if multiplier > 1 else 0
    return many * (2 * frame + 2 * repeated + y) + elements(windows.size) * columns * filters


def correlate_depthwise(x: Array, kernel: Array, windows: Windows, pass_: Pass) -> Array:
    """The output y; no bias."""
    rows, columns = windows.counts((x.shape[1], x.shape[2]))
    filters = kernel.shape[2] * kernel.shape[3]
    y = pass_.buffer("y", (len(x), rows, columns, filters), x.dtype)
    weights = _rows_of_weights(kernel, columns)
    for part in _tiles(x, y):
        source, tile = _repeated(x[part], kernel.shape[3]), y[part]
        product = pass_.scratch("product", tile.shape, x.dtype)
        parts = taps(framed(source, windows, 0, pass_), windows, source.shape)
        np.multiply(next(parts), weights[0], out=tile)
        for tap, row in zip(parts, weights[1:], strict=True):
            np.multiply(tap, row, out=product)
            tile += product
    return y


def depthwise_gradients(
    x: Array, kernel: Array, dy: Array, windows: Windows, pass_: Pass
) -> tuple[Array | None, Array]:
    """The gradients of x (None unless wanted) and of the kernel, from dy (N, OH, OW, C M)."""
    multiplier, filters = kernel.shape[3], dy.shape[3]
    dkernel = pass_.buffer("dkernel", kernel.shape, x.dtype)
    dkernel.fill(0)
    totals = dkernel.reshape(windows.size[0] * windows.size[1], filters)
    weights = _rows_of_weights(kernel, dy.shape[2])
    dx = pass_.buffer("dx", x.shape, x.dtype) if pass_.needs_dx else None
    for part in _tiles(x, dy):
        source, slope = _repeated(x[part], multiplier), dy[part]
        product = pass_.scratch("product", slope.shape, x.dtype)
        frame = framed(source, windows, 0, pass_)
        for tap, total in zip(taps(frame, windows, source.shape), totals, strict=True):
            np.multiply(tap, slope, out=product)
            total += sum_rows(product.reshape(product.size // filters, filters))
        if dx is not None:
            dframe = pass_.scratch("dframe", framed_shape(source.shape, windows), x.dtype)
            dframe.fill(0)
            for dtap, row in zip(taps(dframe, windows, source.shape), weights, strict=True):
                np.multiply(slope, row, out=product)
                dtap += product
            dx[part] = _summed(inside(dframe, windows, source.shape), multiplier)
    return dx, dkernel


def _rows_of_weights(kernel: Array, columns: int) -> Array:
    """A tap's weights for a whole row of output (taps, OW, C M): long loops instead of short."""
    height, width, channels, multiplier = kernel.shape
    flat = kernel.reshape(height * width, 1, channels * multiplier)
    return np.repeat(flat, columns, axis=1)


def _repeated(x: Array, multiplier: int) -> Array:
    return x if multiplier == 1 else np.repeat(x, multiplier, axis=3)


def _summed(dx: Array, multiplier: int) -> Array:
    if multiplier == 1:
        return dx
    split = dx.reshape(*dx.shape[:3], dx.shape[3] // multiplier, multiplier)
    total: Array = split.sum(axis=4)
    return total


def _tiles(x: Array, y: Array) -> Iterator[slice]:
    many = max(1, _TILE_BYTES // max(x[:1].nbytes, y[:1].nbytes, 1))
    for start in range(0, len(x), many):
        yield slice(start, min(start + many, len(x)))
