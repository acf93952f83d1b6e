"""Logistic function: y = 1 / (1 + exp(-x)), dx = dy y (1 - y).

Computed as tanh(x / 2) / 2 + 1 / 2, which is faster than exp and overflows nowhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.onnx.graph import Graph, Value
from nncore.passes import Pass
from nncore.registry import register


@register("sigmoid")
@dataclass(frozen=True, slots=True)
class Sigmoid(Activation):
    """y = 1 / (1 + exp(-x))."""

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        y = pass_.buffer("y", x.shape, x.dtype)
        np.multiply(x, 0.5, out=y)
        np.tanh(y, out=y)
        y *= 0.5
        y += 0.5
        return y, y

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        y = cache
        dx = pass_.buffer("dx", y.shape, y.dtype)
        np.subtract(1, y, out=dx)
        dx *= y
        dx *= dy
        return dx, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Sigmoid", x.name)
