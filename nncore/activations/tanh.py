"""Hyperbolic tangent: y = tanh x, dx = dy (1 - y^2)."""

from __future__ import annotations

from dataclasses import dataclass

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

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        y = pass_.buffer("y", x.shape, x.dtype)
        np.tanh(x, out=y)
        return y, y

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        y = cache
        dx = pass_.buffer("dx", y.shape, y.dtype)
        np.multiply(y, y, out=dx)
        np.subtract(1, dx, out=dx)
        dx *= dy
        return dx, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Tanh", x.name)
