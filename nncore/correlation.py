"""Two-dimensional correlation as matrix products over tiles of unrolled windows.

The windows of a tile (some examples, or some output rows of one example) are copied side by side
into a buffer that stays in cache, (windows, KH KW C), and one product with the kernel gives the
tile's output. The adjoint, which takes dy back to dx, is a correlation too, of dy framed with
zeros and the kernel turned round. With strides dy would have to be spread apart by zeros; then the
tiles' products of dy and the kernel are added up where their windows lie. Dumoulin and Visin, 2016.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nncore.arrays import Array
from nncore.contiguous import contiguous
from nncore.filtering import filter_gradient, filter_rows, filter_scratch, worthwhile
from nncore.geometry import Geometry
from nncore.passes import Pass
from nncore.patches import filter_images, images_gradient, images_scratch
from nncore.phases import Phases
from nncore.shapes import elements
from nncore.tilings import tiling
from nncore.windows import Extent

_TILE_BYTES = 1 << 20
_BYTES = 4
# Columns whose lines a level 1 cache holds while they are turned into rows.
_TURNED = 32


def scratch(geometry: Geometry, image: Extent, sizes: Extent, groups: int, examples: int) -> int:
    """Numbers that a correlation and its gradients need beside their results.

    `sizes`: channels of the images of that extent, and of the outputs.
    """
    kernel = elements(geometry.kernel) * sizes[0] * sizes[1] // groups
    tile = max(_TILE_BYTES // _BYTES, 2 * kernel)
    passes = [(geometry, sizes)]
    if geometry.strides == (1, 1):
        passes.append((geometry.adjoint(image), (sizes[1], sizes[0])))
    tiled, filtered = 0, 0
    for each, (channels, filters) in passes:
        chosen = tiling(each, channels, filters) if groups == 1 else None
        if chosen is not None:
            filtered = max(filtered, images_scratch(chosen, channels, filters, examples))
        elif groups == 1 and worthwhile(each, channels, filters):
            filtered = max(filtered, filter_scratch(each, channels, filters, examples))
            if Phases.serve(each):
                phases, many = Phases(each), examples * elements(each.dilation)
                split = elements(phases.plain.frame) * channels
                split += elements(phases.plain.output) * filters
                inner = scratch(phases.plain, phases.plain.frame, (channels, filters), 1, many)
                filtered = max(filtered, many * split + inner)
        else:
            tiled = max(tiled, _tile_scratch(each, channels, groups, tile, examples))
    return tiled + filtered + 2 * kernel


def _tile_scratch(geometry: Geometry, channels: int, groups: int, tile: int, examples: int) -> int:
    """The framed examples under a tile of so many numbers, and its columns."""
    (rows, width), window = geometry.output, elements(geometry.kernel) * channels // groups
    row = max(1, width * window)
    many = min(examples, max(1, tile // max(1, rows * row)))
    columns = min(max(tile, row), examples * rows * row)
    return many * elements(geometry.frame) * channels + columns


@dataclass(frozen=True, slots=True)
class Tile:
    """Part of the output, and the unrolled windows (windows, KH KW C) of one group under it."""

    examples: slice
    rows: slice
    group: int
    columns: Array

    def of(self, y: Array) -> Array:
        """The part of y (N, OH, OW, F) as a matrix (windows, F)."""
        part = y[self.examples, self.rows]
        return part.reshape(len(self.columns), y.shape[-1])


def correlate(
    x: Array,
    kernel: Array,
    geometry: Geometry,
    groups: int,
    y: Array,
    p: Pass,
    bias: Array | None = None,
) -> None:
    """Write into y the correlation of x (N, H, W, C) and kernel (KH, KW, C / groups, F), plus bias.

    Where it pays, with fewer products than its formula has.
    """
    chosen = tiling(geometry, x.shape[3], y.shape[3]) if groups == 1 else None
    if chosen is not None:
        filter_images(x, kernel, bias, chosen, y, p)
        return
    if groups == 1 and worthwhile(geometry, *kernel.shape[2:]):
        if Phases.serve(geometry):
            _correlate_phases(x, kernel, bias, geometry, y, p)
        else:
            filter_rows(x, kernel, bias, geometry, y, p)
        return
    matrices = _by_group(kernel, groups)
    width = matrices[0].shape[1]
    # Each product reads the whole kernel.
    tile_bytes = max(_TILE_BYTES, kernel.nbytes)
    for tile in tiles(x, geometry, groups, tile_bytes, p):
        part = slice(tile.group * width, (tile.group + 1) * width)
        target = tile.of(y)[:, part]
        p.do(np.matmul, tile.columns, matrices[tile.group], out=target)
        if bias is not None:
            p.do(np.add, target, bias[part], target)


def _correlate_phases(
    x: Array, kernel: Array, bias: Array | None, geometry: Geometry, y: Array, p: Pass
) -> None:
    phases = Phases(geometry)
    framed = phases.split(x, p)
    room = phases.room("joined", len(x), phases.plain.output, y, p)
    correlate(framed, kernel, phases.plain, 1, room.reshape(-1, *room.shape[3:]), p, bias)
    phases.join(room, y, p)


def correlate_back(
    dy: Array, kernel: Array, geometry: Geometry, groups: int, dx: Array, p: Pass
) -> None:
    """Write into dx (N, H, W, C) what the adjoint of `correlate` makes of dy (N, OH, OW, F)."""
    if geometry.strides == (1, 1):
        back = geometry.adjoint((dx.shape[1], dx.shape[2]))
        correlate(dy, _turned(kernel, groups, p), back, groups, dx, p)
        return
    matrices = _by_group(kernel, groups)
    (top, left), (_, height, width, channels) = geometry.offset, dx.shape
    for examples, parts in _parts(dy, geometry, len(matrices[0]), _TILE_BYTES):
        part = dx[examples]
        framed = p.scratch("framed", (len(part), *geometry.frame, channels), dx.dtype)
        p.do(framed.fill, 0)
        for rows in parts:
            _add_up(dy[examples, rows], matrices, geometry, rows, framed, p)
        p.do(np.copyto, part, framed[:, top : top + height, left : left + width])


def _add_up(
    dy: Array, matrices: list[Array], geometry: Geometry, rows: slice, framed: Array, p: Pass
) -> None:
    taps_v, taps_h = geometry.kernel
    windows = contiguous(dy, "slopes", p).reshape(-1, dy.shape[3])
    for group, matrix in enumerate(matrices):
        size, filters = matrix.shape
        channels = size // (taps_v * taps_h)
        columns = p.scratch("columns", (len(windows), size), dy.dtype)
        slopes = windows[:, group * filters : (group + 1) * filters]
        p.do(np.matmul, slopes, matrix.T, out=columns)
        spread = columns.reshape(*dy.shape[:3], taps_v, taps_h, channels)
        target = framed[..., group * channels : (group + 1) * channels]
        for tap in np.ndindex(taps_v, taps_h):
            down, right = geometry.places((tap[0], tap[1]), rows)
            place = target[:, down, right]
            p.do(np.add, place, spread[:, :, :, tap[0], tap[1]], place)


def kernel_gradient(
    x: Array, dy: Array, geometry: Geometry, groups: int, gradient: Array, p: Pass
) -> None:
    """Write dL/dkernel (KH, KW, C / groups, F) into `gradient`, from x and dy (N, OH, OW, F)."""
    chosen = tiling(geometry, x.shape[3], dy.shape[3]) if groups == 1 else None
    if chosen is not None:
        images_gradient(x, dy, chosen, gradient, p)
        return
    if groups == 1 and worthwhile(geometry, *gradient.shape[2:]):
        filter_gradient(x, dy, geometry, gradient, p)
        return
    p.do(gradient.fill, 0)
    total = gradient.reshape(-1, gradient.shape[-1])
    width = total.shape[1] // groups
    product = p.scratch("product", (len(total), width), x.dtype)
    # Adding up the tiles' products must not cost more than the products.
    tile_bytes = max(_TILE_BYTES, 2 * gradient.nbytes)
    for tile in tiles(x, geometry, groups, tile_bytes, p):
        part = slice(tile.group * width, (tile.group + 1) * width)
        p.do(np.matmul, tile.columns.T, tile.of(dy)[:, part], out=product)
        p.do(np.add, total[:, part], product, total[:, part])


def _turned(kernel: Array, groups: int, p: Pass) -> Array:
    """The kernel (KH, KW, F / groups, C) of the adjoint correlation."""
    height, width, inputs, outputs = kernel.shape
    split = kernel[::-1, ::-1].reshape(height, width, inputs, groups, outputs // groups)
    back = split.transpose(0, 1, 4, 3, 2)
    turned = p.scratch("turned", back.shape, kernel.dtype)
    for start in range(0, back.shape[-1], _TURNED):
        part = slice(start, start + _TURNED)
        p.do(np.copyto, turned[..., part], back[..., part])
    return turned.reshape(height, width, outputs // groups, groups * inputs)


def tiles(x: Array, geometry: Geometry, groups: int, tile_bytes: int, p: Pass) -> Iterator[Tile]:
    """The tiles of the output, in a fixed order; a tile's columns last until the next one."""
    channels = x.shape[-1] // groups
    size = geometry.kernel[0] * geometry.kernel[1] * channels
    for examples, parts in _parts(x, geometry, size, tile_bytes):
        framed = _framed(x[examples], geometry, p)
        for part in parts:
            for group in range(groups):
                source = framed[..., group * channels : (group + 1) * channels]
                yield Tile(examples, part, group, _unrolled(source, part, geometry, p))


def _parts(
    batch: Array, geometry: Geometry, window: int, tile_bytes: int
) -> Iterator[tuple[slice, list[slice]]]:
    """Some examples and their rows of output, whose windows of so many numbers fill a tile."""
    rows, width = geometry.output
    row_bytes = width * window * batch.itemsize
    tall = max(1, min(rows, tile_bytes // row_bytes))
    many = max(1, tile_bytes // (rows * row_bytes)) if tall == rows else 1
    parts = [slice(top, min(top + tall, rows)) for top in range(0, rows, tall)]
    for start in range(0, len(batch), many):
        yield slice(start, min(start + many, len(batch))), parts


def _by_group(kernel: Array, groups: int) -> list[Array]:
    matrix = kernel.reshape(-1, kernel.shape[-1])
    return np.split(matrix, groups, axis=1)


def _framed(x: Array, geometry: Geometry, p: Pass) -> Array:
    height, width = x.shape[1:3]
    if geometry.frame == (height, width):
        return x
    framed = p.scratch("framed", (len(x), *geometry.frame, x.shape[3]), x.dtype)
    p.do(framed.fill, 0)
    top, left = geometry.offset
    p.do(np.copyto, framed[:, top : top + height, left : left + width], x)
    return framed


def _unrolled(source: Array, rows: slice, geometry: Geometry, p: Pass) -> Array:
    if geometry.kernel == geometry.strides == (1, 1):
        return contiguous(source[:, rows], "columns", p).reshape(-1, source.shape[3])
    n, channels = len(source), source.shape[3]
    (taps_v, taps_h), down = geometry.kernel, geometry.strides[0]
    shape = (n, rows.stop - rows.start, geometry.output[1], taps_v, taps_h, channels)
    columns = p.scratch("columns", shape, source.dtype)
    windows = _windows(source[:, rows.start * down :], shape, geometry)
    if channels > 1:
        p.do(np.copyto, columns, windows)
    else:
        # Runs of one tap row are too short to copy; go along the output instead.
        for tap in np.ndindex(taps_v, taps_h):
            p.do(np.copyto, columns[:, :, :, *tap], windows[:, :, :, *tap])
    return columns.reshape(-1, taps_v * taps_h * channels)


def _windows(source: Array, shape: tuple[int, ...], geometry: Geometry) -> Array:
    n, v, h, c = source.strides
    (down, right), (apart_v, apart_h) = geometry.strides, geometry.dilation
    strides = (n, v * down, h * right, v * apart_v, h * apart_h, c)
    return as_strided(source, shape, strides, writeable=False)
