"""The maximum of each channel over the steps.   x (N, T, C), y (N, C) or (N, 1, C).

The gradient goes to the first maximum. With a mask, only steps that hold data count; an example
without any gets zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, Params
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.pooling import Winners, global_maximum, global_maximum_back
from nncore.registry import register
from nncore.shapes import Shape, elements
from nncore.windows import require_sequence


@register("global_max_pool1d")
@dataclass(frozen=True, slots=True)
class GlobalMaxPool1D(Layer):
    """The maximum of each channel over a sequence; `keepdims` leaves a step of length 1."""

    keepdims: bool = False

    def output_shape(self, shape: Shape) -> Shape:
        _, channels = require_sequence(shape, "global_max_pool1d")
        return (1, channels) if self.keepdims else (channels,)

    def flops(self, shape: Shape) -> int:
        return elements(shape)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Winners]:
        y, winners = global_maximum(x, pass_.mask)
        return (y if self.keepdims else y[:, 0]), winners

    def backward(
        self, params: Params, cache: Winners, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        return global_maximum_back(cache, dy, pass_), {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        if x.mask is None:
            return graph.reduce("ReduceMax", x.name, 1, keepdims=self.keepdims)
        data = graph.unsqueeze(graph.real(x.mask.name), -1)
        admitted = graph.node("Greater", data, graph.number(0))
        seen = graph.node("Where", admitted, x.name, graph.number(-np.inf))
        y = graph.reduce("ReduceMax", seen, 1, keepdims=self.keepdims)
        some = graph.reduce("ReduceMax", data, 1, keepdims=self.keepdims)
        return graph.node("Where", graph.node("Greater", some, graph.number(0)), y, graph.number(0))
