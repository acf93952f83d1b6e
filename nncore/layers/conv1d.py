"""Convolution of sequences: y[o] = sum over taps i of x[strides o + dilation i] K[i], plus b.

x (N, T, C), K (KW, C / groups, F), b (F,), y (N, OT, F). `causal` padding puts all zeros before
the sequence, so that y[o] sees nothing after x[strides o] (van den Oord et al., 2016). Carried out
as a convolution of images of width 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.convolution import (
    check_groups,
    convolve,
    convolve_back,
    scratch,
)
from nncore.initializers.constant import Zeros
from nncore.initializers.glorot import GlorotUniform
from nncore.initializers.initializer import Initializer
from nncore.layers.layer import Layer
from nncore.onnx import sliding
from nncore.onnx.graph import Graph, Value
from nncore.operation import Operation, Weight
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.regularizers.regularizer import Regularizer
from nncore.shapes import Positive, Shape, elements
from nncore.windows import CausalPadding, Windows, require_sequence


@register("conv1d")
@dataclass(frozen=True, slots=True)
class Conv1D(Layer):
    """1-D convolution of sequences [steps, channels]."""

    needs_output: ClassVar[bool] = False
    repeatable: ClassVar[bool] = True
    weighs_channels: ClassVar[bool] = True

    filters: Positive
    kernel_size: Positive
    strides: Positive = 1
    padding: CausalPadding = "valid"
    dilation_rate: Positive = 1
    groups: Positive = 1
    activation: Activation | None = None
    use_bias: bool = True
    kernel_initializer: Initializer = GlorotUniform()
    bias_initializer: Initializer = Zeros()
    kernel_regularizer: Regularizer | None = None
    bias_regularizer: Regularizer | None = None

    def operations(self) -> tuple[Operation, ...]:
        return self.followed_by(self.activation)

    def output_shape(self, shape: Shape) -> Shape:
        steps, channels = require_sequence(shape, "conv1d")
        check_groups(self.groups, channels, self.filters)
        return self._windows().in_sequence(steps, "kernel_size"), self.filters

    def weights(self, shape: Shape) -> dict[str, Weight]:
        kernel = (self.kernel_size, elements(shape[-1:]) // self.groups, self.filters)
        weights = {
            "kernel": Weight(kernel, self.kernel_initializer, regularizer=self.kernel_regularizer)
        }
        if self.use_bias:
            weights["bias"] = Weight(
                (self.filters,), self.bias_initializer, regularizer=self.bias_regularizer
            )
        return weights

    def flops(self, shape: Shape) -> int:
        taps = self.kernel_size * elements(shape[-1:]) // self.groups
        return elements(self.output_shape(shape)) * (2 * taps + self.use_bias)

    def scratch(self, shape: Shape, examples: int) -> int:
        return scratch(
            (shape[0], 1, shape[1]), self._windows(), self.filters, self.groups, examples
        )

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        y = convolve(params, x[:, :, None], self._windows(), self.groups, pass_)
        return y[:, :, 0], x

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        dx, gradients = convolve_back(
            params,
            cache[:, :, None],
            dy[:, :, None],
            self._windows(),
            self.groups,
            pass_,
        )
        return None if dx is None else dx[:, :, 0], gradients

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return sliding.convolve(params, x, self._windows(), self.groups, graph)

    def _windows(self) -> Windows:
        size, strides, dilation = self.kernel_size, self.strides, self.dilation_rate
        return Windows.along(size, strides, self.padding, dilation)
