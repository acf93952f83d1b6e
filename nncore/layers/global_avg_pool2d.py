"""The mean of each channel over the image.   x (N, H, W, C), y (N, C) or (N, 1, 1, C)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, Params
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Shape, elements
from nncore.windows import require_image


@register("global_avg_pool2d")
@dataclass(frozen=True, slots=True)
class GlobalAvgPool2D(Layer):
    """The mean of each channel over an image; `keepdims` leaves height and width 1."""

    keepdims: bool = False

    def output_shape(self, shape: Shape) -> Shape:
        channels = require_image(shape, "global_avg_pool2d")[2]
        return (1, 1, channels) if self.keepdims else (channels,)

    def flops(self, shape: Shape) -> int:
        return elements(shape)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, tuple[int, ...]]:
        n, height, width, channels = x.shape
        shares = np.full((1, height * width), 1 / max(height * width, 1), x.dtype)
        y = np.matmul(shares, x.reshape(n, height * width, channels))
        return (y[:, None] if self.keepdims else y[:, 0]), x.shape

    def backward(
        self, params: Params, cache: tuple[int, ...], dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        dx = pass_.buffer("dx", cache, dy.dtype)
        slopes = dy.reshape(len(dy), 1, 1, cache[3])
        np.multiply(slopes, 1 / max(cache[1] * cache[2], 1), out=dx)
        return dx, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.reduce("ReduceMean", x.name, 1, 2, keepdims=self.keepdims)
