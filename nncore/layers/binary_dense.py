"""Affine map with binary weights or inputs: y = sign(x) B(W) + b.

x (N, ..., I), W (I, O) real, b (O,), y (N, ..., O); B(W) as in `binarization`. Derivatives of signs
are those of the estimator. Courbariaux, Hubara, Soudry, El-Yaniv and Bengio, 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from nncore.arrays import Array, Params
from nncore.binarization import BinaryKernel
from nncore.estimators import Estimator, signs, surrogate
from nncore.layers.dense import Dense
from nncore.passes import Pass
from nncore.registry import register


@register("binary_dense")
@dataclass(frozen=True, slots=True)
class BinaryDense(Dense):
    """A dense layer whose weights, inputs or both are taken as -1 or 1."""

    repeatable: ClassVar[bool] = False
    factored: ClassVar[tuple[str, ...]] = ()

    estimator: Estimator = "straight_through"
    binary_weights: bool = True
    binary_inputs: bool = True

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Any]:
        seen = signs(x) if self.binary_inputs else x
        kernel = BinaryKernel.of(params["kernel"], self.estimator) if self.binary_weights else None
        used = params if kernel is None else {**params, "kernel": kernel.value}
        y, _ = Dense.forward(self, used, seen, pass_)
        return y, (x, seen, kernel)

    def backward(
        self, params: Params, cache: Any, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        x, seen, kernel = cache
        progress = pass_.run.progress
        used = params if kernel is None else {**params, "kernel": kernel.value}
        dx, gradients = Dense.backward(self, used, seen, dy, pass_)
        if kernel is not None:
            gradients["kernel"] = kernel.back(gradients["kernel"], self.estimator, progress)
        if dx is not None and self.binary_inputs:
            dx *= surrogate(x, self.estimator, progress)
        return dx, gradients
