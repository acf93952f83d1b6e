"""Rectifier: y = max(x, 0), dx = dy where y > 0. Its derivative at 0 is taken as 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.passes import Pass
from nncore.registry import register


@register("relu")
@dataclass(frozen=True, slots=True)
class Relu(Activation):
    """y = max(x, 0)."""

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        y = pass_.buffer("y", x.shape, x.dtype)
        np.maximum(x, 0, out=y)
        return y, y

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        y = cache
        dx = pass_.buffer("dx", y.shape, y.dtype)
        np.greater(y, 0, out=dx)
        dx *= dy
        return dx, {}
