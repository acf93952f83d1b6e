"""Larger images: y = V x W^T for each channel.   x (N, H, W, C), y (N, H size, W size, C).

`nearest` repeats rows and columns. `bilinear` draws straight lines between the centres of the
pixels: y[i] lies at x position (i + 1/2) / size - 1/2, held inside the image; V and W are the
matrices of that interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nncore.arrays import Array, Params
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.onnx.sliding import channels_first, channels_last
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Pair, Shape, check_added, elements, pair
from nncore.windows import require_image


@register("up_sampling2d")
@dataclass(frozen=True, slots=True)
class UpSampling2D(Layer):
    """Enlarges images by whole factors."""

    size: Pair = 2
    interpolation: Literal["nearest", "bilinear"] = "nearest"

    def output_shape(self, shape: Shape) -> Shape:
        height, width, channels = require_image(shape, "up_sampling2d")
        down, right = pair(self.size)
        check_added(height, down, "size")
        check_added(width, right, "size")
        rows = None if height is None else height * down
        return rows, None if width is None else width * right, channels

    def flops(self, shape: Shape) -> int:
        return 8 * elements(self.output_shape(shape)) if self.interpolation == "bilinear" else 0

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, None]:
        (n, height, width, channels), (down, right) = x.shape, pair(self.size)
        if self.interpolation == "bilinear":
            rows = interpolation(height, down, x.dtype)
            return _stretched(x, rows, interpolation(width, right, x.dtype)), None
        y = pass_.buffer("y", (n, height, down, width, right, channels), x.dtype)
        np.copyto(y, x[:, :, None, :, None])
        return y.reshape(n, height * down, width * right, channels), None

    def backward(self, params: Params, cache: None, dy: Array, pass_: Pass) -> tuple[Array, Params]:
        (n, rows, columns, channels), (down, right) = dy.shape, pair(self.size)
        height, width = rows // down, columns // right
        if self.interpolation == "bilinear":
            vertical = interpolation(height, down, dy.dtype).T
            return _stretched(dy, vertical, interpolation(width, right, dy.dtype).T), {}
        parts = dy.reshape(n, height, down, width, right, channels)
        return parts.sum(axis=(2, 4)), {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        down, right = pair(self.size)
        if self.interpolation == "bilinear":
            image, factors = channels_first(x.name, 2, graph), graph.factors(1, 1, down, right)
            return channels_last(graph.node("Resize", image, "", factors, mode="linear"), 2, graph)
        return graph.node(
            "Resize",
            x.name,
            "",
            graph.factors(1, down, right, 1),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )


def interpolation(length: int, size: int, dtype: np.dtype[Any]) -> Array:
    """The matrix (length size, length) that draws straight lines between pixel centres."""
    places = np.clip((np.arange(length * size) + 0.5) / size - 0.5, 0, length - 1)
    before = np.minimum(places.astype(int), max(length - 2, 0))
    share, rows = places - before, np.arange(length * size)
    matrix = np.zeros((length * size, length))
    matrix[rows, before] = 1 - share
    matrix[rows, np.minimum(before + 1, length - 1)] += share
    return matrix.astype(dtype)


def _stretched(x: Array, vertical: Array, horizontal: Array) -> Array:
    n, height, width, channels = x.shape
    rows = vertical @ np.ascontiguousarray(x).reshape(n, height, width * channels)
    lines = rows.reshape(n * len(vertical), width, channels)
    y: Array = horizontal @ lines
    return y.reshape(n, len(vertical), len(horizontal), channels)
