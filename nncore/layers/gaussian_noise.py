"""Noise in training: y = x + stddev n with n normal; otherwise y = x.   x, y (N, ...)."""

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


@register("gaussian_noise")
@dataclass(frozen=True, slots=True)
class GaussianNoise(Layer):
    """Adds normal noise in training."""

    only_trains: ClassVar[bool] = True

    stddev: Annotated[float, Range(min=0)]

    def flops(self, shape: Shape) -> int:
        return 2 * elements(shape)

    def kept(self, shape: Shape) -> int:
        return 2 * elements(shape)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, None]:
        if not pass_.training or self.stddev == 0:
            return x, None
        y = pass_.buffer("y", x.shape, x.dtype)
        np.multiply(pass_.normal(x.shape), np.array(self.stddev, x.dtype), out=y)
        y += x
        return y, None

    def backward(self, params: Params, cache: None, dy: Array, pass_: Pass) -> tuple[Array, Params]:
        return dy, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return x.name
