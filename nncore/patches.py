"""Correlation with fewer multiplications, along both axes; strides 1, one group, many channels.

A tile of m x m outputs under r x r taps reads n x n places d of the image, n = m + r - 1, and is

    y = A [(G k G') * (B d B')] A'

where * multiplies place by place: n^2 products instead of m^2 r^2 (Lavin and Gray, 2016; the tables
are those of nncore.schemes). The products of a place, over all tiles and channels, are a matrix
product of (tiles, C) and (C, F). There must be many of both to pay for the way there and back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nncore.arrays import Array
from nncore.passes import Pass
from nncore.schemes import ONE
from nncore.shapes import elements
from nncore.tilings import Tiling
from nncore.windows import Extent

_CHUNK_BYTES = 1 << 20
_BYTES = 4
# OpenBLAS multiplies matrices of up to so many products without packing them first.
_SMALL_PRODUCT = 1_000_000
_FEWEST_ROWS = 100


@dataclass(frozen=True, slots=True)
class Blocks:
    """Positions, `used` of them, in `count` blocks of rows."""

    used: int
    count: int
    rows: int

    @classmethod
    def of(cls, positions: int, products: int) -> Blocks:
        """Blocks of as many rows as small products allow, or a single one if those are few."""
        most = _SMALL_PRODUCT // products
        count = -(-positions // most) if most >= _FEWEST_ROWS else 1
        return cls(positions, count, -(-positions // count))

    def buffer(self, name: str, sizes: Extent, like: Array, p: Pass) -> Array:
        """Room for the numbers (n, n, P, C) of all places; those of idle positions are zero."""
        shape = (*sizes, self.count * self.rows, like.shape[-1])
        values = p.scratch(name, shape, like.dtype)
        if self.used < shape[2]:
            p.do(np.copyto, values[:, :, self.used :], 0)
        return values

    def matrices(self, values: Array) -> Array:
        """The matrices (n n, count, rows, C) of values (n, n, P, C)."""
        return values.reshape(-1, self.count, self.rows, values.shape[3])


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of tiles of some examples; their overlapping tiles (I, rows, n, W C) of x."""

    tiling: Tiling
    examples: slice
    rows: slice
    tiles: Array
    blocks: Blocks

    def room(self, filters: int, dtype: np.dtype[Any], p: Pass) -> Array:
        """A buffer for the outputs (N, rows, columns, F) of the tiles."""
        rows = self.tiles.shape[1] * self.tiling.outputs[0]
        shape = (len(self.tiles), rows, self.tiling.covered[1], filters)
        return p.scratch("tiles", shape, dtype)

    def of(self, y: Array) -> Array:
        """The part's rows of y (N, OH, OW, F)."""
        height = self.tiling.outputs[0]
        return y[self.examples, self.rows.start * height : self.rows.stop * height]

    def by_tile(self, values: Array) -> Array:
        """Outputs, in whatever shape they have, as (I, rows, m, columns F)."""
        images, rows = self.tiles.shape[:2]
        return values.reshape(images, rows, self.tiling.outputs[0], -1)


def filter_images(
    x: Array, kernel: Array, bias: Array | None, tiling: Tiling, y: Array, p: Pass
) -> None:
    """Write the correlation of x (N, H, W, C) with kernel (KH, KW, C, F), plus bias, into y."""
    taps = _taps(kernel, tiling, p)
    matrices = taps.reshape(-1, 1, *taps.shape[2:])
    for part in _parts(x, tiling, y.shape[3], p):
        spectrum = _spectrum(part, x, p)
        products = part.blocks.buffer("products", tiling.sizes, y, p)
        by_block = part.blocks.matrices(products)
        p.do(np.matmul, part.blocks.matrices(spectrum), matrices, out=by_block)
        if bias is not None:
            one = products[ONE, ONE]
            p.do(np.add, one, bias, one)
        _write(products, part, y, p)


def images_gradient(x: Array, dy: Array, tiling: Tiling, gradient: Array, p: Pass) -> None:
    """Write dL/dkernel (KH, KW, C, F) into `gradient`, from x and dy (N, OH, OW, F)."""
    (taps_v, taps_h, *matrix), (points_v, points_h) = gradient.shape, tiling.sizes
    total = p.scratch("total", (tiling.points, *matrix), x.dtype)
    fresh = True
    for part in _parts(x, tiling, dy.shape[3], p):
        spectrum = part.blocks.matrices(_spectrum(part, x, p)).swapaxes(2, 3)
        slopes = part.blocks.matrices(_slopes(dy, part, p))
        if fresh and part.blocks.count == 1:
            p.do(np.matmul, spectrum, slopes, out=total[:, None])
        else:
            if fresh:
                p.do(total.fill, 0)
            shape = (tiling.points, part.blocks.count, *matrix)
            product = p.scratch("more", shape, x.dtype)
            p.do(np.matmul, spectrum, slopes, out=product)
            p.do(_add_blocks, product, total)
        fresh = False
    vertical, horizontal = tiling.schemes(x.dtype)
    half = p.scratch("more", (taps_v, points_h, matrix[0] * matrix[1]), x.dtype)
    by_point = total.reshape(points_v, -1)
    p.do(np.matmul, vertical.kernel.T, by_point, out=half.reshape(taps_v, -1))
    p.do(np.matmul, horizontal.kernel.T, half, out=gradient.reshape(taps_v, taps_h, -1))


def _add_blocks(product: Array, total: Array) -> None:
    for block in range(product.shape[1]):
        total += product[:, block]


def _taps(kernel: Array, tiling: Tiling, p: Pass) -> Array:
    """G k G' (n, n, C, F)."""
    vertical, horizontal = tiling.schemes(kernel.dtype)
    (points_v, points_h), (taps_v, taps_h, *matrix) = tiling.sizes, kernel.shape
    half = p.scratch("more", (points_v, taps_h, matrix[0] * matrix[1]), kernel.dtype)
    taps = p.of_weights("taps", (points_v, points_h, *matrix), kernel.dtype)
    p.once(np.matmul, vertical.kernel, kernel.reshape(taps_v, -1), out=half.reshape(points_v, -1))
    p.once(np.matmul, horizontal.kernel, half, out=taps.reshape(points_v, points_h, -1))
    return taps


def images_scratch(tiling: Tiling, channels: int, filters: int, examples: int) -> int:
    """Numbers that a correlation of so many examples and its gradients need for a while."""
    kernel, larger = tiling.points * channels * filters, max(channels, filters)
    many, tall = _sizes(tiling, channels, filters, examples, _BYTES)
    positions = many * tall * tiling.tiles[1]
    blocks = Blocks.of(positions, channels * filters)
    frame = many * elements(_framed(tiling)) * channels
    half = tiling.sizes[0] * many * tall * _framed(tiling)[1] * larger
    tiles = positions * elements(tiling.outputs) * filters
    carried = tiling.points * blocks.count * blocks.rows * (channels + filters)
    return kernel * (2 + blocks.count) + frame + half + tiles + carried


def _sizes(
    tiling: Tiling, channels: int, filters: int, examples: int, itemsize: int
) -> tuple[int, int]:
    """How many examples, or else rows of tiles of one, make a part."""
    down, across = tiling.tiles
    most = max(_CHUNK_BYTES // itemsize, 2 * tiling.points * channels * filters)
    row = across * tiling.points * (channels + filters)
    many = max(1, min(examples, most // (row * down)))
    bands = min(down, -(-row * down // most)) if many == 1 else 1
    # Parts of one size are better than a large one and a small one.
    return -(-max(1, examples) // max(1, -(-examples // many))), -(-down // bands)


def _framed(tiling: Tiling) -> Extent:
    """The size of an image with what its tiles read."""
    (height, width), (taps_v, taps_h) = tiling.covered, tiling.geometry.kernel
    return height + taps_v - 1, width + taps_h - 1


def _parts(x: Array, tiling: Tiling, filters: int, p: Pass) -> Iterator[Part]:
    """Parts whose numbers fit into a cache, or more if the kernel is large: all read all of it."""
    (down, across), channels = tiling.tiles, x.shape[3]
    many, tall = _sizes(tiling, channels, filters, len(x), x.itemsize)
    frame = _frame(x, many, tiling, p)
    for start in range(0, len(x), many):
        examples = slice(start, min(start + many, len(x)))
        images = x[examples]
        if frame is not None:
            (above, left), images = tiling.geometry.offset, frame[: len(images)]
            place = images[:, above : above + x.shape[1], left : left + x.shape[2]]
            p.do(np.copyto, place, x[examples])
        for top in range(0, down, tall):
            rows = slice(top, min(top + tall, down))
            blocks = Blocks.of(len(images) * across * (rows.stop - top), channels * filters)
            yield Part(tiling, examples, rows, _tiled(images, tiling)[:, rows], blocks)


def _tiled(images: Array, tiling: Tiling) -> Array:
    image, row, _, number = images.strides
    shape = (len(images), tiling.tiles[0], tiling.sizes[0], images.shape[2] * images.shape[3])
    return as_strided(images, shape, (image, row * tiling.outputs[0], row, number))


def _frame(x: Array, many: int, tiling: Tiling, p: Pass) -> Array | None:
    """Zeros to put so many images into, None if they can stay where they are."""
    size = _framed(tiling)
    if size == x.shape[1:3] and x.flags.c_contiguous:
        return None
    frame = p.scratch("framed", (many, *size, x.shape[3]), x.dtype)
    p.do(frame.fill, 0)
    return frame


def _spectrum(part: Part, x: Array, p: Pass) -> Array:
    """B d B' (n, n, P, C) for the tiles of a part."""
    values = part.blocks.buffer("spectrum", part.tiling.sizes, x, p)
    vertical, horizontal = part.tiling.schemes(x.dtype)
    _carry(vertical.image, horizontal.image, part, part.tiles, values, p)
    return values


def _slopes(dy: Array, part: Part, p: Pass) -> Array:
    """A' dy A (n, n, P, F), what dy makes the slopes of a part's products."""
    if part.tiling.exact and dy.flags.c_contiguous:
        outputs = part.of(dy)
    else:
        outputs = part.room(dy.shape[3], dy.dtype, p)
        source = part.of(dy)
        p.do(outputs.fill, 0)
        p.do(np.copyto, outputs[:, : source.shape[1], : source.shape[2]], source)
    values = part.blocks.buffer("products", part.tiling.sizes, dy, p)
    vertical, horizontal = part.tiling.schemes(dy.dtype)
    tiles = part.by_tile(outputs)
    _carry(vertical.output.T, horizontal.output.T, part, tiles, values, p)
    return values


def _carry(
    vertical: Array, horizontal: Array, part: Part, tiles: Array, values: Array, p: Pass
) -> None:
    """Write v t h' into values (n, n, P, C) for each tile t of (I, rows, height, W C)."""
    (points_v, points_h), (images, rows, _, numbers) = part.tiling.sizes, tiles.shape
    across, channels = part.tiling.tiles[1], values.shape[3]
    used = values[:, :, : part.blocks.used]
    half = p.scratch("half", (points_v, images, rows, numbers), values.dtype)
    p.do(np.matmul, vertical, tiles, out=half.transpose(1, 2, 0, 3))
    shape = (points_v, images, rows, across, horizontal.shape[1], channels)
    place, number = channels * half.itemsize, half.itemsize
    strides = (*half.strides[:3], part.tiling.outputs[1] * place, place, number)
    places = used.reshape(points_v, points_h, images, rows, across, channels)
    windows = as_strided(half, shape, strides)
    p.do(np.matmul, horizontal, windows, out=places.transpose(0, 2, 3, 4, 1, 5))


def _write(products: Array, part: Part, y: Array, p: Pass) -> None:
    """Write the outputs A m A' that products (n, n, P, F) make into y (N, OH, OW, F)."""
    (points_v, points_h), (images, rows) = part.tiling.sizes, part.tiles.shape[:2]
    (_, width), across, filters = part.tiling.outputs, part.tiling.tiles[1], y.shape[3]
    vertical, horizontal = part.tiling.schemes(y.dtype)
    used = products[:, :, : part.blocks.used]
    places = used.reshape(points_v, points_h, images, rows, across, filters)
    half = p.scratch("half", (points_v, images, rows, across, width, filters), y.dtype)
    p.do(np.matmul, horizontal.output, places.transpose(0, 2, 3, 4, 1, 5), out=half)
    source = half.reshape(points_v, images, rows, -1).transpose(1, 2, 0, 3)
    if part.tiling.exact and y.flags.c_contiguous:
        p.do(np.matmul, vertical.output, source, out=part.by_tile(part.of(y)))
        return
    room = part.room(filters, y.dtype, p)
    p.do(np.matmul, vertical.output, source, out=part.by_tile(room))
    target = part.of(y)
    p.do(np.copyto, target, room[:, : target.shape[1], : target.shape[2]])
