"""The maximum of each channel over the image.   x (N, H, W, C), y (N, C) or (N, 1, 1, C).

The gradient goes to the first maximum, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass

from nncore.arrays import Array, Params
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.pooling import Winners, global_maximum, global_maximum_back
from nncore.registry import register
from nncore.shapes import Shape, elements
from nncore.windows import require_image


@register("global_max_pool2d")
@dataclass(frozen=True, slots=True)
class GlobalMaxPool2D(Layer):
    """The maximum of each channel over an image; `keepdims` leaves height and width 1."""

    keepdims: bool = False

    def output_shape(self, shape: Shape) -> Shape:
        channels = require_image(shape, "global_max_pool2d")[2]
        return (1, 1, channels) if self.keepdims else (channels,)

    def flops(self, shape: Shape) -> int:
        return elements(shape)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(
        self, params: Params, x: Array, pass_: Pass
    ) -> tuple[Array, tuple[Winners, tuple[int, ...]]]:
        n, height, width, channels = x.shape
        y, winners = global_maximum(x.reshape(n, height * width, channels), None)
        return (y[:, None] if self.keepdims else y[:, 0]), (winners, x.shape)

    def backward(
        self, params: Params, cache: tuple[Winners, tuple[int, ...]], dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        winners, shape = cache
        return global_maximum_back(winners, dy, pass_).reshape(shape), {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.reduce("ReduceMax", x.name, 1, 2, keepdims=self.keepdims)
