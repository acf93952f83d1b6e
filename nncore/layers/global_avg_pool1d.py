"""The mean of each channel over the steps.   x (N, T, C), y (N, C) or (N, 1, C).

With a mask, over the steps that hold data; an example without any gets zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import Array, Params
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Shape, elements
from nncore.windows import require_sequence


@register("global_avg_pool1d")
@dataclass(frozen=True, slots=True)
class GlobalAvgPool1D(Layer):
    """The mean of each channel over a sequence; `keepdims` leaves a step of length 1."""

    needs_output: ClassVar[bool] = False
    repeatable: ClassVar[bool] = True

    keepdims: bool = False

    def output_shape(self, shape: Shape) -> Shape:
        _, channels = require_sequence(shape, "global_avg_pool1d")
        return (1, channels) if self.keepdims else (channels,)

    def flops(self, shape: Shape) -> int:
        return elements(shape)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        shares = _shares(x, pass_)
        y = pass_.buffer("y", (len(x), 1, x.shape[2]), x.dtype)
        pass_.do(np.matmul, shares[:, None], x, out=y)
        return (y if self.keepdims else y[:, 0]), shares

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        slopes = dy.reshape(len(dy), 1, dy.shape[-1])
        dx = pass_.buffer("dx", (*cache.shape, dy.shape[-1]), dy.dtype)
        pass_.do(np.multiply, slopes, cache[:, :, None], dx)
        return dx, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        if x.mask is None:
            return graph.reduce("ReduceMean", x.name, 1, keepdims=self.keepdims)
        data = graph.real(x.mask.name)
        steps = graph.node("Max", graph.reduce("ReduceSum", data, 1), graph.number(1))
        shares = graph.unsqueeze(graph.node("Div", data, steps), 1)
        y = graph.node("MatMul", shares, x.name)
        return y if self.keepdims else graph.squeeze(y, 1)


def _shares(x: Array, pass_: Pass) -> Array:
    """The weight (N, T) of each step in the mean."""
    if pass_.mask is None:
        return pass_.constant(1 / max(x.shape[1], 1), x.shape[:2], x.dtype)
    steps = np.maximum(np.count_nonzero(pass_.mask, axis=1), 1)
    shares: Array = (pass_.mask / steps[:, None]).astype(x.dtype)
    return shares
