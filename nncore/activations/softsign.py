"""Soft sign: y = x / (1 + |x|), dy/dx = 1 / (1 + |x|)^2. Turian, 2009."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.activations.pointwise import Pointwise
from nncore.arrays import Array, Params
from nncore.onnx.graph import Graph, Value
from nncore.registry import register


@register("softsign")
@dataclass(frozen=True, slots=True)
class Softsign(Pointwise):
    """y = x / (1 + |x|)."""

    def value(self, x: Array, y: Array) -> None:
        np.abs(x, out=y)
        y += 1
        np.divide(x, y, out=y)

    def slope(self, x: Array, y: Array, dx: Array) -> None:
        np.abs(x, out=dx)
        dx += 1
        np.multiply(dx, dx, out=dx)
        np.divide(1, dx, out=dx)

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Softsign", x.name)
