"""Dropout: in training, y = x m / (1 - rate) with m 0 at `rate` of the elements; else y = x.

Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, 2014; scaled at training time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from nncore.arrays import Array, Params
from nncore.documents.limits import Range
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Pass
from nncore.registry import register
from nncore.shapes import Shape, elements


@register("dropout")
@dataclass(frozen=True, slots=True)
class Dropout(Layer):
    """Sets random elements to zero in training and scales up the others."""

    only_trains: ClassVar[bool] = True

    rate: Annotated[float, Range(min=0, below=1)]

    def flops(self, shape: Shape) -> int:
        return elements(shape)

    def kept(self, shape: Shape) -> int:
        return elements(shape)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array | None]:
        if not pass_.training or self.rate == 0:
            return x, None
        factor = pass_.buffer("factor", x.shape, x.dtype)
        np.greater_equal(pass_.uniform(x.shape), np.float32(self.rate), out=factor)
        factor *= 1 / (1 - self.rate)
        y = pass_.buffer("y", x.shape, x.dtype)
        np.multiply(x, factor, out=y)
        return y, factor

    def backward(
        self, params: Params, cache: Array | None, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        if cache is not None:
            dy *= cache
        return dy, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return x.name
