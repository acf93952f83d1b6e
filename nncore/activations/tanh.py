"""Hyperbolic tangent: y = tanh x, dx = dy (1 - y^2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.onnx.graph import Graph, Value
from nncore.passes import Pass
from nncore.registry import register


@register("tanh")
@dataclass(frozen=True, slots=True)
class Tanh(Activation):
    """y = tanh x."""

    repeatable: ClassVar[bool] = True

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        y = pass_.over(x)
        pass_.do(np.tanh, x, y)
        return y, y

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        slope = pass_.buffer("slope", cache.shape, cache.dtype)
        pass_.do(np.multiply, cache, cache, slope)
        pass_.do(np.subtract, pass_.constant(1, (), cache.dtype), slope, slope)
        pass_.do(np.multiply, dy, slope, dy)
        return dy, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Tanh", x.name)
