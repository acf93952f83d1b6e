"""Logistic function in three straight pieces: y = min(max(x + 3, 0), 6) / 6, dy/dx = 1/6 inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.activations.pointwise import Pointwise
from nncore.arrays import Array, Params
from nncore.onnx.graph import Graph, Value
from nncore.registry import register


@register("hard_sigmoid")
@dataclass(frozen=True, slots=True)
class HardSigmoid(Pointwise):
    """y = min(max(x + 3, 0), 6) / 6."""

    def value(self, x: Array, y: Array) -> None:
        np.add(x, 3, out=y)
        np.clip(y, 0, 6, out=y)
        y /= 6

    def slope(self, x: Array, y: Array, dx: Array) -> None:
        np.less(np.abs(x), 3, out=dx)
        dx /= 6

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("HardSigmoid", x.name, alpha=1 / 6, beta=0.5)
