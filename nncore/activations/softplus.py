"""Smooth rectifier: y = log(1 + exp x), dy/dx = 1 - exp(-y), the logistic function.

Computed as max(x, 0) + log(1 + exp(-|x|)), which overflows nowhere.
Glorot, Bordes and Bengio, 2011.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.activations.pointwise import Pointwise
from nncore.arrays import Array, Params
from nncore.onnx.graph import Graph, Value
from nncore.registry import register


@register("softplus")
@dataclass(frozen=True, slots=True)
class Softplus(Pointwise):
    """y = log(1 + exp x)."""

    def value(self, x: Array, y: Array) -> None:
        np.abs(x, out=y)
        np.negative(y, out=y)
        np.exp(y, out=y)
        np.log1p(y, out=y)
        y += np.maximum(x, 0)

    def slope(self, x: Array, y: Array, dx: Array) -> None:
        np.negative(y, out=dx)
        np.expm1(dx, out=dx)
        np.negative(dx, out=dx)

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Softplus", x.name)
