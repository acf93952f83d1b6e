"""Correlation with fewer multiplications, along the vertical axis; strides 1, one group.

A tile of m output rows under r taps reads n = m + r - 1 rows d of the image and is

    y = A [(G k) * (B d)]

where * multiplies row by row: n products instead of m r. The rows of G and B evaluate polynomials
at n - 1 small points and at infinity; A goes back (Toom and Cook; Winograd, 1980). Here a row of d
is a row of the image, all columns and channels; horizontal taps and channels are summed in each
product, a matrix product of windows (positions, KW C) and taps (KW C, F). The windows of every
KW-th position lie side by side in memory, so that they need not be copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nncore.arrays import Array
from nncore.geometry import Geometry
from nncore.passes import Pass
from nncore.schemes import MOST_TAPS, ONE, Scheme, scheme

_WORTH = 0.8
_KERNEL_BYTES = 4 << 20
_CHUNK_BYTES = 2 << 20
# OpenBLAS multiplies matrices of up to so many products without packing them first.
_SMALL_PRODUCT = 1_000_000
_FEWEST_ROWS = 40
_FEW_CHANNELS = 12


@dataclass(frozen=True, slots=True)
class Tiling:
    """Tiles of output rows over some images, and where the products' positions lie.

    With a dilation the rows of a tile are `apart`. Positions go over the images, the phases of the
    dilation, the tiles and the columns of the frame; those past the output's columns are idle.
    """

    scheme: Scheme
    geometry: Geometry
    tiles: int

    @classmethod
    def of(cls, geometry: Geometry, dtype: np.dtype[Any]) -> Tiling:
        """The tiling that covers the output."""
        chosen = scheme(geometry.kernel[0], dtype)
        rows = -(-geometry.output[0] // geometry.dilation[0])
        return cls(chosen, geometry, -(-rows // len(chosen.output)))

    @property
    def apart(self) -> int:
        """From one row of a tile to the next."""
        return self.geometry.dilation[0]

    @property
    def rows(self) -> int:
        """Rows of output that the tiles have room for."""
        return self.apart * self.tiles * len(self.scheme.output)

    @property
    def height(self) -> int:
        """Rows that the frame must have."""
        reach = (self.geometry.kernel[0] - 1) * self.apart
        return max(self.rows + reach, self.geometry.frame[0])

    @property
    def positions(self) -> int:
        """Positions of one image."""
        return self.apart * self.tiles * self.geometry.frame[1]

    def tiled(self, images: Array, height: int) -> Array:
        """Overlapping tiles (N, apart, tiles, height, W C) of so many rows of (N, H, W, C)."""
        n, row, _, number = images.strides
        shape = (len(images), self.apart, self.tiles, height, images.shape[2] * images.shape[3])
        down = self.apart * row
        return as_strided(images, shape, (n, row, down * len(self.scheme.output), down, number))

    def by_tiles(self, products: Array, images: int, columns: int) -> Array:
        """The rows of tiles (N, apart, tiles, n, columns C) that products (n, P, C) belong to."""
        count, _, channels = products.shape
        used = products[:, : images * self.positions]
        shape = (count, images, self.apart, self.tiles, self.geometry.frame[1] * channels)
        return used.reshape(shape)[..., : columns * channels].transpose(1, 2, 3, 0, 4)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Positions (P of them) in blocks of rows, and in each by their place modulo `phases`."""

    count: int
    phases: int
    rows: int

    @classmethod
    def of(cls, positions: int, phases: int, products: int) -> Blocks:
        """Blocks of as many rows as small products allow, or a single one if those are few."""
        most, wanted = _SMALL_PRODUCT // products, -(-positions // phases)
        count = -(-wanted // most) if most >= _FEWEST_ROWS else 1
        return cls(count, phases, -(-wanted // count))

    @property
    def positions(self) -> int:
        """Places that the blocks take, with the idle ones at the end."""
        return self.count * self.phases * self.rows

    def matrices(self, values: Array, taps: int, first: int = 0) -> Array:
        """The windows (n, count, phases, rows, taps C) of values (n, P, C) from place `first`."""
        each, place, number = values.strides
        shape = (len(values), self.count, self.phases, self.rows, taps * values.shape[2])
        block = self.phases * self.rows * place
        strides = (each, block, place, self.phases * place, number)
        return as_strided(values[:, first:], shape, strides)


def worthwhile(geometry: Geometry, channels: int, filters: int) -> bool:
    """Whether this takes clearly fewer products than the plain sum, also for short rows."""
    taps, (height, width) = geometry.kernel[0], geometry.output
    if geometry.strict or geometry.strides != (1, 1) or not 1 < taps <= MOST_TAPS:
        return False
    tiling = Tiling.of(geometry, np.dtype(np.float32))
    points = len(tiling.scheme.image)
    kernel = points * geometry.kernel[1] * channels * filters * 4
    plain = height * width * taps
    return tiling.positions * points <= _WORTH * plain and kernel <= _KERNEL_BYTES


def filter_scratch(geometry: Geometry, channels: int, filters: int, examples: int) -> int:
    """Numbers in single precision that `filter_rows` and `filter_gradient` work with."""
    kind = np.dtype(np.float32)
    tiling, taps = Tiling.of(geometry, kind), geometry.kernel[1]
    points = len(tiling.scheme.image)
    kernel, each = points * taps * channels * filters, points * tiling.positions
    many = _many(examples, each * (channels + filters) * kind.itemsize, kernel * kind.itemsize)
    framed = tiling.height * geometry.frame[1] * channels
    tiles = tiling.rows * geometry.output[1] * filters
    more = each * filters if taps > 1 else 0
    return many * (each * (channels + filters) + more + framed + tiles) + 2 * kernel


def _many(images: int, bytes_each: int, least: int) -> int:
    """How many images to take at a time."""
    return max(1, min(images, max(_CHUNK_BYTES, least) // bytes_each))


def filter_rows(
    x: Array, kernel: Array, bias: Array | None, geometry: Geometry, y: Array, p: Pass
) -> None:
    """Write the correlation of x (N, H, W, C) with kernel (KH, KW, C, F), plus bias, into y."""
    tiling = Tiling.of(geometry, x.dtype)
    joined = geometry.kernel[1] if geometry.dilation[1] == 1 else 1
    taps = p.of_weights("taps", (len(tiling.scheme.image), *kernel.shape[1:]), x.dtype)
    rows = kernel.reshape(len(kernel), -1)
    p.once(np.matmul, tiling.scheme.kernel, rows, out=taps.reshape(len(taps), -1))
    for part, spectrum, blocks in _spectra(x, tiling, joined, kernel.shape[3], p):
        products = _products(spectrum, taps, blocks, geometry.dilation[1], p)
        if bias is not None:
            p.do(np.add, products[ONE], bias, products[ONE])
        _write_tiles(products, tiling, y[part], p)


def filter_gradient(x: Array, dy: Array, geometry: Geometry, gradient: Array, p: Pass) -> None:
    """Write dL/dkernel (KH, KW, C, F) into `gradient`, from x and dy (N, OH, OW, F)."""
    tiling = Tiling.of(geometry, x.dtype)
    points, (height, width, channels, filters) = len(tiling.scheme.image), gradient.shape
    few = geometry.dilation[1] == 1 and channels < _FEW_CHANNELS
    total = p.scratch("total", (points, width, channels, filters), x.dtype)
    p.do(total.fill, 0)
    for part, spectrum, blocks in _spectra(x, tiling, width if few else 1, filters, p):
        slopes = _slopes(dy[part], tiling, blocks, p)
        _add_products(spectrum, slopes, blocks, geometry.dilation[1], total, p)
    by_point = total.reshape(points, -1)
    p.do(np.matmul, tiling.scheme.kernel.T, by_point, out=gradient.reshape(height, -1))


def _spectra(
    x: Array, tiling: Tiling, joined: int, filters: int, p: Pass
) -> Iterator[tuple[slice, Array, Blocks]]:
    """Some images at a time, the rows B d of their tiles (n, P, C), and blocks of positions."""
    (_, taps), channels = tiling.geometry.kernel, x.shape[3]
    points, reach = len(tiling.scheme.image), (taps - 1) * tiling.geometry.dilation[1]
    bytes_each = points * tiling.positions * (channels + filters) * x.itemsize
    # A product reads all taps: there must be enough positions to make that worth it.
    least = points * taps * channels * filters * x.itemsize
    many = _many(len(x), bytes_each, least)
    frame = _frame(x, many, tiling, p)
    for start in range(0, len(x), many):
        images = x[start : start + many]
        framed = images
        if frame is not None:
            (top, left), framed = tiling.geometry.offset, frame[: len(images)]
            place = framed[:, top : top + x.shape[1], left : left + x.shape[2]]
            p.do(np.copyto, place, images)
        blocks = Blocks.of(len(images) * tiling.positions, joined, joined * channels * filters)
        spectrum = p.scratch("spectrum", (points, blocks.positions + reach, channels), x.dtype)
        target = tiling.by_tiles(spectrum, len(images), tiling.geometry.frame[1])
        p.do(np.matmul, tiling.scheme.image, tiling.tiled(framed, points), out=target)
        # What idle positions hold must not be NaN: it is multiplied by zero.
        p.do(np.copyto, spectrum[:, len(images) * tiling.positions :], 0)
        yield slice(start, start + len(images)), spectrum, blocks


def _frame(x: Array, many: int, tiling: Tiling, p: Pass) -> Array | None:
    """Zeros to put so many images into, None if they can stay where they are."""
    size = tiling.height, tiling.geometry.frame[1]
    if size == x.shape[1:3] and x.flags.c_contiguous:
        return None
    frame = p.scratch("framed", (many, *size, x.shape[3]), x.dtype)
    p.do(frame.fill, 0)
    return frame


def _products(spectrum: Array, taps: Array, blocks: Blocks, apart: int, p: Pass) -> Array:
    """The products (n, P, F) of the windows in a spectrum (n, P, C) and taps (n, KW, C, F)."""
    points, width, channels, filters = taps.shape
    shape = (points, blocks.positions, filters)
    products = p.scratch("products", shape, spectrum.dtype)
    for tap in range(0, width, blocks.phases):
        windows = blocks.matrices(spectrum, blocks.phases, tap * apart)
        kernel = taps[:, tap : tap + blocks.phases].reshape(
            points, 1, 1, blocks.phases * channels, filters
        )
        if not tap:
            p.do(np.matmul, windows, kernel, out=blocks.matrices(products, 1))
            continue
        more = p.scratch("more", shape, spectrum.dtype)
        p.do(np.matmul, windows, kernel, out=blocks.matrices(more, 1))
        p.do(np.add, products, more, products)
    return products


def _write_tiles(products: Array, tiling: Tiling, y: Array, p: Pass) -> None:
    """Write the rows that products (n, P, F) make into y (N, OH, OW, F)."""
    direct = tiling.rows == y.shape[1] and y.flags.c_contiguous
    whole = y
    if not direct:
        whole = p.scratch("tiles", (len(y), tiling.rows, *y.shape[2:]), y.dtype)
    rows = tiling.by_tiles(products, len(y), y.shape[2])
    target = tiling.tiled(whole, len(tiling.scheme.output))
    p.do(np.matmul, tiling.scheme.output, rows, out=target)
    if not direct:
        p.do(np.copyto, y, whole[:, : y.shape[1]])


def _slopes(dy: Array, tiling: Tiling, blocks: Blocks, p: Pass) -> Array:
    """What dy makes the slopes (n, P, F) of the products; zero where positions are idle."""
    (images, _, columns, filters), height = dy.shape, len(tiling.scheme.output)
    whole = dy
    if tiling.rows != dy.shape[1] or not dy.flags.c_contiguous:
        whole = p.scratch("tiles", (images, tiling.rows, columns, filters), dy.dtype)
        p.do(np.copyto, whole[:, : dy.shape[1]], dy)
        p.do(np.copyto, whole[:, dy.shape[1] :], 0)
    shape = (len(tiling.scheme.image), blocks.positions, filters)
    slopes = p.scratch("products", shape, dy.dtype)
    target = tiling.by_tiles(slopes, images, tiling.geometry.frame[1])
    p.do(np.copyto, target[..., columns * filters :], 0)
    p.do(np.copyto, slopes[:, images * tiling.positions :], 0)
    used = target[..., : columns * filters]
    p.do(np.matmul, tiling.scheme.output.T, tiling.tiled(whole, height), out=used)
    return slopes


def _add_products(
    spectrum: Array, slopes: Array, blocks: Blocks, apart: int, total: Array, p: Pass
) -> None:
    points, width, _, filters = total.shape
    parts = blocks.count * blocks.phases
    by_block = blocks.matrices(slopes, 1)
    for tap in range(0, width, blocks.phases):
        windows = blocks.matrices(spectrum, blocks.phases, tap * apart).swapaxes(3, 4)
        shape = (*windows.shape[:4], filters)
        product = p.scratch("more", shape, total.dtype)
        p.do(np.matmul, windows, by_block, out=product)
        p.do(_add_parts, product.reshape(points, parts, -1), total[:, tap : tap + blocks.phases])


def _add_parts(parts: Array, total: Array) -> None:
    total += parts.sum(axis=1).reshape(total.shape)
