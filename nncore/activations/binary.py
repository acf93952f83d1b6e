"""Binary activation: y = sign x, with 1 at 0, trained through a stand-in for its derivative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.estimators import Estimator, signs, signs_in_onnx, surrogate
from nncore.onnx.graph import Graph, Value
from nncore.passes import Pass
from nncore.registry import register


@register("binary")
@dataclass(frozen=True, slots=True)
class Binary(Activation):
    """y = 1 where x >= 0, else -1; the estimator stands for the derivative."""

    estimator: Estimator = "straight_through"

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        return signs(x), x

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        dx = surrogate(cache, self.estimator, pass_.run.progress)
        np.multiply(dx, dy, out=dx)
        return dx, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return signs_in_onnx(x.name, graph)
