"""Maximum over windows of each channel.   x (N, H, W, C), y (N, OH, OW, C).

`same` padding never wins a maximum. The gradient goes to the first maximum of a window, row by row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, Params
from nncore.layers.layer import Layer
from nncore.passes import Pass
from nncore.registry import register
from nncore.shapes import Pair, Shape, elements, pair
from nncore.windows import Padding, count, margins, require_image, windows_in_image

Frame = tuple[tuple[int, int], tuple[int, int]]
"""Margins ((above, below), (left, right))."""


@register("max_pool2d")
@dataclass(frozen=True, slots=True)
class MaxPool2D(Layer):
    """Maximum over windows; the strides are the window's size unless given."""

    pool_size: Pair = 2
    strides: Pair | None = None
    padding: Padding = "valid"

    def output_shape(self, shape: Shape) -> Shape:
        height, width, channels = require_image(shape, "max_pool2d")
        size, strides = pair(self.pool_size), self._strides()
        windows = windows_in_image((height, width), size, strides, self.padding, "pool_size")
        return (*windows, channels)

    def flops(self, shape: Shape) -> int:
        return elements(self.output_shape(shape)) * elements(pair(self.pool_size))

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, tuple[Array, ...]]:
        frame = self._frame(x)
        padded = _padded(x, frame, pass_)
        rows, columns = (count(*axis, self.padding) for axis in self._axes(x))
        y = pass_.buffer("y", (len(x), rows, columns, x.shape[3]), x.dtype)
        taps = self._taps(padded, y)
        np.copyto(y, next(taps))
        for tap in taps:
            np.maximum(y, tap, out=y)
        return y, (x, padded, y)

    def backward(
        self, params: Params, cache: tuple[Array, ...], dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        x, padded, y = cache
        dpadded = pass_.buffer("dx", padded.shape, y.dtype)
        dpadded.fill(0)
        share = pass_.scratch("share", y.shape, y.dtype)
        hit, waiting = np.empty(y.shape, bool), np.ones(y.shape, bool)
        for tap, dtap in zip(self._taps(padded, y), self._taps(dpadded, y), strict=True):
            np.equal(tap, y, out=hit)
            hit &= waiting
            waiting ^= hit
            np.copyto(share, hit)
            share *= dy
            dtap += share
        return _inside(dpadded, x, self._frame(x)), {}

    def _strides(self) -> tuple[int, int]:
        return pair(self.pool_size if self.strides is None else self.strides)

    def _axes(self, x: Array) -> list[tuple[int, int, int]]:
        return list(zip(x.shape[1:3], pair(self.pool_size), self._strides(), strict=True))

    def _frame(self, x: Array) -> Frame:
        vertical, horizontal = (margins(*axis, self.padding) for axis in self._axes(x))
        return vertical, horizontal

    def _taps(self, padded: Array, y: Array) -> Iterator[Array]:
        (size_v, size_h), (down, right) = pair(self.pool_size), self._strides()
        _, rows, columns, _ = y.shape
        for i, j in np.ndindex(size_v, size_h):
            vertical = slice(i, i + down * (rows - 1) + 1, down)
            horizontal = slice(j, j + right * (columns - 1) + 1, right)
            yield padded[:, vertical, horizontal]


def _padded(x: Array, frame: Frame, pass_: Pass) -> Array:
    n, height, width, channels = x.shape
    shape = (n, height + sum(frame[0]), width + sum(frame[1]), channels)
    if shape == x.shape:
        return x
    padded = pass_.buffer("padded", shape, x.dtype)
    padded.fill(-np.inf)
    _inside(padded, x, frame)[...] = x
    return padded


def _inside(padded: Array, x: Array, frame: Frame) -> Array:
    (top, _), (left, _) = frame
    return padded[:, top : top + x.shape[1], left : left + x.shape[2]]
