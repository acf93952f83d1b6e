"""Exponential linear units: y = x above 0, below it an exponential that levels out.

elu: y = alpha (exp x - 1) for x <= 0 (Clevert, Unterthiner and Hochreiter, 2016). selu: the same
with alpha 1.6733, all times 1.0507, which keeps mean 0 and variance 1 (Klambauer, Unterthiner,
Mayr and Hochreiter, 2017). There the derivative is y + alpha, or y + scale alpha.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from nncore.activations.pointwise import Pointwise
from nncore.arrays import Array, Params
from nncore.documents.limits import Range
from nncore.onnx.graph import Graph, Value
from nncore.registry import register

_ALPHA = 1.6732632423543772
_SCALE = 1.0507009873554805


@register("elu")
@dataclass(frozen=True, slots=True)
class Elu(Pointwise):
    """y = x above 0, alpha (exp x - 1) below."""

    alpha: Annotated[float, Range(min=0)] = 1.0

    def value(self, x: Array, y: Array) -> None:
        _exponential_below(x, self.alpha, y)

    def slope(self, x: Array, y: Array, dx: Array) -> None:
        np.add(y, self.alpha, out=dx)
        np.copyto(dx, 1, where=x > 0)

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Elu", x.name, alpha=float(self.alpha))


@register("selu")
@dataclass(frozen=True, slots=True)
class Selu(Pointwise):
    """y = 1.0507 x above 0, 1.0507 * 1.6733 (exp x - 1) below."""

    def value(self, x: Array, y: Array) -> None:
        _exponential_below(x, _ALPHA, y)
        y *= _SCALE

    def slope(self, x: Array, y: Array, dx: Array) -> None:
        np.add(y, _SCALE * _ALPHA, out=dx)
        np.copyto(dx, _SCALE, where=x > 0)

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Selu", x.name, alpha=_ALPHA, gamma=_SCALE)


def _exponential_below(x: Array, alpha: float, y: Array) -> None:
    np.minimum(x, 0, out=y)
    np.expm1(y, out=y)
    y *= alpha
    y += np.maximum(x, 0)
