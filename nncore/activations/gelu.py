"""Gaussian error linear unit: y = x F(x), with F the normal distribution's probability below x.

Exactly, F(x) = (1 + erf(x / sqrt 2)) / 2 and y' = F(x) + x f(x), f being the normal density;
approximately, F(x) = (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + .044715 x^3).
Hendrycks and Gimpel, 2016.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nncore.activations.pointwise import Pointwise
from nncore.arrays import Array, Params
from nncore.error_function import erf
from nncore.onnx.graph import Graph, Value
from nncore.registry import register
from nncore.shapes import Shape, elements

_CUBE = 0.044715
_SPREAD = math.sqrt(2 / math.pi)


@register("gelu")
@dataclass(frozen=True, slots=True)
class Gelu(Pointwise):
    """y = x times the probability that a normal number is below x."""

    approximate: bool = False

    def kept(self, shape: Shape) -> int:
        return 4 * elements(shape)

    def value(self, x: Array, y: Array) -> None:
        np.multiply(self._below(x), x, out=y)

    def slope(self, x: Array, y: Array, dx: Array) -> None:
        below = self._below(x)
        if self.approximate:
            density = 2 * below * (1 - below) * _SPREAD * (1 + 3 * _CUBE * np.square(x))
        else:
            density = np.exp(-0.5 * np.square(x)) * (0.5 * _SPREAD)
        np.multiply(density, x, out=dx)
        dx += below

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Gelu", x.name, approximate="tanh" if self.approximate else "none")

    def _below(self, x: Array) -> Array:
        if self.approximate:
            tail = np.tanh(_SPREAD * (x + _CUBE * x**3))
        else:
            tail = erf(x * math.sqrt(0.5))
        tail += 1
        tail *= 0.5
        return tail
