"""Rectifiers: what is above a threshold passes, what is below is cut off or damped.

relu: y = x for x >= threshold, else negative_slope (x - threshold); at most max_value.
relu6: y = min(max(x, 0), 6). leaky_relu: y = x for x >= 0, else negative_slope x (Maas, Hannun and
Ng, 2013). The derivative at a bend is the one on its left, at the cap 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from nncore.activations.activation import Activation
from nncore.activations.pointwise import Pointwise
from nncore.arrays import Array, Params
from nncore.documents.hints import if_given
from nncore.documents.limits import Range
from nncore.onnx.graph import Graph, Value
from nncore.passes import Pass
from nncore.registry import register

Slope = Annotated[float, Range(min=0)]

_BOOL = np.dtype(np.bool_)
_BLOCK = 1 << 14  # elements that a level 1 cache holds twice


@register("relu")
@dataclass(frozen=True, slots=True)
class Relu(Activation):
    """y = max(x, 0), or with a slope below a threshold and a cap."""

    repeatable: ClassVar[bool] = True
    never_falls: ClassVar[bool] = True

    negative_slope: Slope = if_given(0.0)
    max_value: Annotated[float, Range(min=0)] | None = if_given()
    threshold: Annotated[float, Range(min=0)] = if_given(0.0)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        if self.threshold:
            y = pass_.buffer("y", x.shape, x.dtype)
            pass_.do(self._shift, x, y)
        elif self.negative_slope:
            y = pass_.buffer("y", x.shape, x.dtype)
            pass_.do(_leak, x, self.negative_slope, y)
        else:
            y = pass_.over(x)
            rectify(x, y, pass_)
        if self.max_value is not None:
            pass_.do(np.minimum, y, self.max_value, out=y)
        return y, (x if self.threshold else y)

    def _shift(self, x: Array, y: Array) -> None:
        np.subtract(x, self.threshold, out=y)
        y *= self.negative_slope
        np.copyto(y, x, where=x >= self.threshold)

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        above = pass_.buffer("above", cache.shape, _BOOL)
        pass_.do(np.greater, cache, pass_.constant(self.threshold, (), cache.dtype), above)
        if self.negative_slope or self.max_value is not None:
            pass_.do(self._scale, cache, above, dy)
        else:
            pass_.do(np.multiply, dy, above, dy)
        return dy, {}

    def _scale(self, cache: Array, above: Array, dy: Array) -> None:
        slope = above * dy.dtype.type(1 - self.negative_slope)
        slope += self.negative_slope
        if self.max_value is not None:
            slope *= cache < self.max_value
        dy *= slope

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        y = self._bent(x.name, graph)
        return y if self.max_value is None else graph.node("Min", y, graph.number(self.max_value))

    def _bent(self, x: str, graph: Graph) -> str:
        if self.threshold:
            threshold = graph.number(self.threshold)
            below = graph.node(
                "Mul", graph.node("Sub", x, threshold), graph.number(self.negative_slope)
            )
            return graph.node("Where", graph.node("GreaterOrEqual", x, threshold), x, below)
        if self.negative_slope:
            return graph.node("LeakyRelu", x, alpha=float(self.negative_slope))
        return graph.node("Relu", x)


@register("relu6")
@dataclass(frozen=True, slots=True)
class Relu6(Pointwise):
    """y = min(max(x, 0), 6)."""

    def value(self, x: Array, y: Array) -> None:
        np.clip(x, 0, 6, out=y)

    def slope(self, x: Array, y: Array, dx: Array) -> None:
        np.greater(y, 0, out=dx)
        dx *= y < 6

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Clip", x.name, graph.number(0), graph.number(6))


@register("leaky_relu")
@dataclass(frozen=True, slots=True)
class LeakyRelu(Pointwise):
    """y = x above 0, negative_slope x below."""

    negative_slope: Slope = 0.2

    def value(self, x: Array, y: Array) -> None:
        _leak(x, self.negative_slope, y)

    def slope(self, x: Array, y: Array, dx: Array) -> None:
        np.greater(x, 0, out=dx)
        dx *= 1 - self.negative_slope
        dx += self.negative_slope

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("LeakyRelu", x.name, alpha=float(self.negative_slope))


def rectify(x: Array, y: Array, pass_: Pass) -> None:
    """Write max(x, 0) into y, which may be x."""
    # The maximum of two arrays is four times as fast as that of an array and a number.
    if x.size <= _BLOCK or not (x.flags.c_contiguous and y.flags.c_contiguous):
        pass_.do(np.maximum, x, pass_.constant(0, x.shape, x.dtype), out=y)
    else:
        zeros = pass_.constant(0, (_BLOCK,), x.dtype)
        pass_.do(_rectify_blocks, x.reshape(-1), y.reshape(-1), zeros)


def _rectify_blocks(x: Array, y: Array, zeros: Array) -> None:
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK]
        np.maximum(block, zeros[: len(block)], out=y[start : start + _BLOCK])


def _leak(x: Array, slope: float, y: Array) -> None:
    np.multiply(x, slope, out=y)
    # The greater of both is right for slopes up to 1, the lesser beyond.
    (np.maximum if slope <= 1 else np.minimum)(y, x, out=y)
