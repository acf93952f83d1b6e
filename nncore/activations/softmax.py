"""Softmax and its logarithm along an axis.

softmax: y_i = exp(x_i) / sum_j exp(x_j), dx = y (dy - sum_j dy_j y_j).
log_softmax: y = x - log sum_j exp(x_j), dx = dy - exp(y) sum_j dy_j.
The largest x is subtracted first, so that nothing overflows. Axes are those of one example.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.documents.hints import if_given
from nncore.errors import ArchitectureError
from nncore.passes import Pass
from nncore.registry import register
from nncore.shapes import Shape, written

if TYPE_CHECKING:
    from nncore.onnx.graph import Graph, Value


def softmax(x: Array) -> Array:
    """The softmax of the last axis, in a fresh array."""
    powers: Array = np.exp(x - x.max(axis=-1, keepdims=True))
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers


@dataclass(frozen=True, slots=True)
class AlongAxis(Activation):
    """An activation along one axis of an example, -1 being the last and 1 the first."""

    axis: int = if_given(-1)

    def output_shape(self, shape: Shape) -> Shape:
        if not (-len(shape) <= self.axis < 0 or 0 < self.axis <= len(shape)):
            raise ArchitectureError(
                "/axis",
                f"{self.axis} is no axis of an example of shape {written(shape)}; "
                "-1 is the last one, 1 the first",
            )
        return shape


@register("softmax")
@dataclass(frozen=True, slots=True)
class Softmax(AlongAxis):
    """y_i = exp(x_i) / sum_j exp(x_j) along an axis."""

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        y = pass_.buffer("y", x.shape, x.dtype)
        axis = self.axis
        np.subtract(x, x.max(axis=axis, keepdims=True), out=y)
        np.exp(y, out=y)
        y /= y.sum(axis=axis, keepdims=True)
        return y, y

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        y = cache
        dx = pass_.buffer("dx", y.shape, y.dtype)
        np.multiply(dy, y, out=dx)
        total = dx.sum(axis=self.axis, keepdims=True)
        np.subtract(dy, total, out=dx)
        dx *= y
        return dx, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Softmax", x.name, axis=self.axis)


@register("log_softmax")
@dataclass(frozen=True, slots=True)
class LogSoftmax(AlongAxis):
    """y_i = x_i - log(sum_j exp(x_j)) along an axis."""

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        y = pass_.buffer("y", x.shape, x.dtype)
        axis = self.axis
        np.subtract(x, x.max(axis=axis, keepdims=True), out=y)
        y -= np.log(np.exp(y).sum(axis=axis, keepdims=True))
        return y, y

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        dx = pass_.buffer("dx", cache.shape, cache.dtype)
        np.exp(cache, out=dx)
        dx *= dy.sum(axis=self.axis, keepdims=True)
        np.subtract(dy, dx, out=dx)
        return dx, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("LogSoftmax", x.name, axis=self.axis)
