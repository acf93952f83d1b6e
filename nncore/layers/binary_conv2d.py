"""Convolution of images with binary weights or inputs: conv2d of sign(x) with B(W), plus b.

x (N, H, W, C), W (KH, KW, C / groups, F) real, b (F,), y (N, OH, OW, F); B(W) as in `binarization`,
padding is 0. Derivatives of signs are those of the estimator. Rastegari, Ordonez, Redmon and
Farhadi, 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from nncore.arrays import Array, Params
from nncore.binarization import BinaryKernel
from nncore.estimators import Estimator, signs, surrogate
from nncore.layers.conv2d import Conv2D
from nncore.passes import Pass
from nncore.registry import register


@register("binary_conv2d")
@dataclass(frozen=True, slots=True)
class BinaryConv2D(Conv2D):
    """A 2-D convolution whose weights, inputs or both are taken as -1 or 1."""

    repeatable: ClassVar[bool] = False

    estimator: Estimator = "straight_through"
    binary_weights: bool = True
    binary_inputs: bool = True

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Any]:
        seen = signs(x) if self.binary_inputs else x
        kernel = BinaryKernel.of(params["kernel"], self.estimator) if self.binary_weights else None
        used = params if kernel is None else {**params, "kernel": kernel.value}
        y, _ = Conv2D.forward(self, used, seen, pass_)
        return y, (x, seen, kernel)

    def backward(
        self, params: Params, cache: Any, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        x, seen, kernel = cache
        progress = pass_.run.progress
        used = params if kernel is None else {**params, "kernel": kernel.value}
        dx, gradients = Conv2D.backward(self, used, seen, dy, pass_)
        if kernel is not None:
            gradients["kernel"] = kernel.back(gradients["kernel"], self.estimator, progress)
        if dx is not None and self.binary_inputs:
            dx *= surrogate(x, self.estimator, progress)
        return dx, gradients
