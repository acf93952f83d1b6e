"""Sine: y = sin x, dy/dx = cos x."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.activations.pointwise import Pointwise
from nncore.arrays import Array, Params
from nncore.onnx.graph import Graph, Value
from nncore.registry import register


@register("sin")
@dataclass(frozen=True, slots=True)
class Sine(Pointwise):
    """y = sin x."""

    def value(self, x: Array, y: Array) -> None:
        np.sin(x, out=y)

    def slope(self, x: Array, y: Array, dx: Array) -> None:
        np.cos(x, out=dx)

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Sin", x.name)
