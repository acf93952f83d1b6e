"""Sigmoid-weighted linear unit, or swish: y = x s(x) with s the logistic function.

dy/dx = s + y (1 - s). Elfwing, Uchibe and Doya, 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.activations.pointwise import Pointwise
from nncore.arrays import Array, Params
from nncore.onnx.graph import Graph, Value
from nncore.registry import register


@register("silu")
@dataclass(frozen=True, slots=True)
class Silu(Pointwise):
    """y = x / (1 + exp(-x))."""

    def value(self, x: Array, y: Array) -> None:
        _logistic(x, y)
        y *= x

    def slope(self, x: Array, y: Array, dx: Array) -> None:
        _logistic(x, dx)
        dx += y * (1 - dx)

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Mul", x.name, graph.node("Sigmoid", x.name))


def _logistic(x: Array, out: Array) -> None:
    np.multiply(x, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5
