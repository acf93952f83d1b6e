"""Logistic function: y = 1 / (1 + exp(-x)), dx = dy y (1 - y).

Computed as tanh(x / 2) / 2 + 1 / 2, which is faster than exp and overflows nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

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

    repeatable: ClassVar[bool] = True

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        y, half = pass_.over(x), pass_.constant(0.5, (), x.dtype)
        pass_.do(np.multiply, x, half, y)
        pass_.do(np.tanh, y, y)
        pass_.do(np.multiply, y, half, y)
        pass_.do(np.add, y, half, y)
        return y, y

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        slope = pass_.buffer("slope", cache.shape, cache.dtype)
        pass_.do(np.subtract, pass_.constant(1, (), cache.dtype), cache, slope)
        pass_.do(np.multiply, slope, cache, slope)
        pass_.do(np.multiply, dy, slope, dy)
        return dy, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Sigmoid", x.name)
