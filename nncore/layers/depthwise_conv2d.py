"""Depthwise convolution: y[o, c M + m] = sum over taps i of x[place(o, i), c] K[i, c, m], plus b.

place(o, i) = strides o + dilation i.
x (N, H, W, C), K (KH, KW, C, M) with M the depth multiplier, b (C M,), y (N, OH, OW, C M): each
channel has filters of its own. Sifre and Mallat, 2013.
"""

from __future__ import annotations

from dataclasses import dataclass

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.convolution import add_bias, bias_gradient
from nncore.depthwise import correlate_depthwise, depthwise_gradients, depthwise_scratch
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


@register("depthwise_conv2d")
@dataclass(frozen=True, slots=True)
class DepthwiseConv2D(Layer):
    """2-D convolution of each channel by itself."""

    kernel_size: Pair
    strides: Pair = 1
    padding: Padding = "valid"
    depth_multiplier: Positive = 1
    dilation_rate: Pair = 1
    activation: Activation | None = None
    use_bias: bool = True
    depthwise_initializer: Initializer = GlorotUniform()
    bias_initializer: Initializer = Zeros()
    depthwise_regularizer: Regularizer | None = None
    bias_regularizer: Regularizer | None = None

    def operations(self) -> tuple[Operation, ...]:
        return self.followed_by(self.activation)

    def output_shape(self, shape: Shape) -> Shape:
        height, width, channels = require_image(shape, "depthwise_conv2d")
        windows = self._windows().in_image((height, width), "kernel_size")
        return (*windows, channels * self.depth_multiplier)

    def weights(self, shape: Shape) -> dict[str, Weight]:
        channels = elements(shape[-1:])
        kernel = (*pair(self.kernel_size), channels, self.depth_multiplier)
        weights = {
            "kernel": Weight(
                kernel, self.depthwise_initializer, regularizer=self.depthwise_regularizer
            )
        }
        if self.use_bias:
            weights["bias"] = Weight(
                (channels * self.depth_multiplier,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
            )
        return weights

    def flops(self, shape: Shape) -> int:
        taps = elements(pair(self.kernel_size))
        return elements(self.output_shape(shape)) * (2 * taps + self.use_bias)

    def scratch(self, shape: Shape, examples: int) -> int:
        return depthwise_scratch(shape, self._windows(), self.depth_multiplier, examples)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        y = correlate_depthwise(x, params["kernel"], self._windows(), pass_)
        return add_bias(params, y), x

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        kernel = params["kernel"]
        dx, dkernel = depthwise_gradients(cache, kernel, dy, self._windows(), pass_)
        return dx, {"kernel": dkernel} | bias_gradient(params, dy, pass_)

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return sliding.convolve_depthwise(params, "kernel", x, self._windows(), graph)

    def _windows(self) -> Windows:
        size, strides, dilation = self.kernel_size, self.strides, self.dilation_rate
        return Windows(pair(size), pair(strides), self.padding, pair(dilation))
