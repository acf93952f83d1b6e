"""Multiplicative noise in training: y = x (1 + sqrt(rate / (1 - rate)) n), n normal; else y = x.

It has the mean and the variance of dropout at that rate. Srivastava et al., 2014.
"""

from __future__ import annotations

import math
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


@register("gaussian_dropout")
@dataclass(frozen=True, slots=True)
class GaussianDropout(Layer):
    """Multiplies by normal noise of mean 1 in training."""

    only_trains: ClassVar[bool] = True

    rate: Annotated[float, Range(min=0, below=1)]

    def flops(self, shape: Shape) -> int:
        return 3 * elements(shape)

    def kept(self, shape: Shape) -> int:
        return 3 * elements(shape)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array | None]:
        if not pass_.training or self.rate == 0:
            return x, None
        factor = pass_.buffer("factor", x.shape, x.dtype)
        deviation = np.array(math.sqrt(self.rate / (1 - self.rate)), x.dtype)
        np.multiply(pass_.normal(x.shape), deviation, out=factor)
        factor += 1
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
