"""Convolution of images: y[o] = sum over taps i of x[strides o + dilation i] K[i], plus b.

x (N, H, W, C), K (KH, KW, C / groups, F), b (F,), y (N, OH, OW, F); with groups, each group of
channels meets its own group of filters. LeCun et al., 1989.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.convolution import check_groups, convolve, convolve_back, scratch
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
from nncore.shapes import Pair, Positive, Shape, elements, pair
from nncore.windows import Padding, Windows, require_image


@register("conv2d")
@dataclass(frozen=True, slots=True)
class Conv2D(Layer):
    """2-D convolution of images [height, width, channels]."""

    needs_output: ClassVar[bool] = False
    repeatable: ClassVar[bool] = True
    weighs_channels: ClassVar[bool] = True

    filters: Positive
    kernel_size: Pair
    strides: Pair = 1
    padding: Padding = "valid"
    dilation_rate: Pair = 1
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
        height, width, channels = require_image(shape, "conv2d")
        check_groups(self.groups, channels, self.filters)
        return (*self._windows().in_image((height, width), "kernel_size"), self.filters)

    def weights(self, shape: Shape) -> dict[str, Weight]:
        kernel = (*pair(self.kernel_size), elements(shape[-1:]) // self.groups, self.filters)
        weights = {
            "kernel": Weight(kernel, self.kernel_initializer, regularizer=self.kernel_regularizer)
        }
        if self.use_bias:
            weights["bias"] = Weight(
                (self.filters,), self.bias_initializer, regularizer=self.bias_regularizer
            )
        return weights

    def flops(self, shape: Shape) -> int:
        taps = elements(pair(self.kernel_size)) * elements(shape[-1:]) // self.groups
        return elements(self.output_shape(shape)) * (2 * taps + self.use_bias)

    def scratch(self, shape: Shape, examples: int) -> int:
        return scratch(shape, self._windows(), self.filters, self.groups, examples)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        return convolve(params, x, self._windows(), self.groups, pass_), x

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        return convolve_back(params, cache, dy, self._windows(), self.groups, pass_)

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return sliding.convolve(params, x, self._windows(), self.groups, graph)

    def _windows(self) -> Windows:
        size, strides, dilation = self.kernel_size, self.strides, self.dilation_rate
        return Windows(pair(size), pair(strides), self.padding, pair(dilation))
