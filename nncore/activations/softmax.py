"""Softmax over the last axis: y_i = exp(x_i) / sum_j exp(x_j), dx = y (dy - sum_j dy_j y_j).

The largest x is subtracted first, so that nothing overflows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.passes import Pass
from nncore.registry import register


@register("softmax")
@dataclass(frozen=True, slots=True)
class Softmax(Activation):
    """y_i = exp(x_i) / sum_j exp(x_j) over the last axis."""

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        y = pass_.buffer("y", x.shape, x.dtype)
        np.subtract(x, x.max(axis=-1, keepdims=True), out=y)
        np.exp(y, out=y)
        y /= y.sum(axis=-1, keepdims=True)
        return y, y

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        y = cache
        dx = pass_.buffer("dx", y.shape, y.dtype)
        np.multiply(dy, y, out=dx)
        total = dx.sum(axis=-1, keepdims=True)
        np.subtract(dy, total, out=dx)
        dx *= y
        return dx, {}
