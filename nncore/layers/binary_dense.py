"""Affine map with binary weights or inputs: y = sign(x) B(W) + b.

x (N, ..., I), W (I, O) real, b (O,), y (N, ..., O); B(W) as in `binarization`. Derivatives of signs
are those of the estimator. Courbariaux, Hubara, Soudry, El-Yaniv and Bengio, 2016.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from nncore.arrays import Array, Params
from nncore.binarization import BinaryKernel
from nncore.estimators import Estimator, signs, signs_in_onnx, surrogate
from nncore.layers.dense import Dense
from nncore.onnx.graph import Graph, Value
from nncore.passes import Pass
from nncore.registry import register


@register("binary_dense")
@dataclass(frozen=True, slots=True)
class BinaryDense(Dense):
    """A dense layer whose weights, inputs or both are taken as -1 or 1."""

    weighs_channels: ClassVar[bool] = False

    repeatable: ClassVar[bool] = False
    factored: ClassVar[tuple[str, ...]] = ()

    estimator: Estimator = "straight_through"
    binary_weights: bool = True
    binary_inputs: bool = True

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Any]:
        seen = signs(x) if self.binary_inputs else x
        used, kernel = self._used(params)
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

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        seen = replace(x, name=signs_in_onnx(x.name, graph)) if self.binary_inputs else x
        return Dense.to_onnx(self, self._used(params)[0], seen, graph)

    def _used(self, params: Params) -> tuple[Params, BinaryKernel | None]:
        """The weights as they are multiplied, and the binary kernel if there is one."""
        if not self.binary_weights:
            return params, None
        kernel = BinaryKernel.of(params["kernel"], self.estimator)
        return {**params, "kernel": kernel.value}, kernel
