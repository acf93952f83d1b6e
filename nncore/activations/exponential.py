"""Exponential function: y = exp x = dy/dx."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.activations.pointwise import Pointwise
from nncore.arrays import Array, Params
from nncore.onnx.graph import Graph, Value
from nncore.registry import register


@register("exponential")
@dataclass(frozen=True, slots=True)
class Exponential(Pointwise):
    """y = exp x."""

    def value(self, x: Array, y: Array) -> None:
        np.exp(x, out=y)

    def slope(self, x: Array, y: Array, dx: Array) -> None:
        np.copyto(dx, y)

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Exp", x.name)
