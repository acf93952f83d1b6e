"""Depthwise convolution, then a mix of the channels at each position: y = depthwise(x) P + b.

x (N, H, W, C), depthwise kernel (KH, KW, C, M), pointwise kernel P (1, 1, C M, F), b (F,),
y (N, OH, OW, F). Chollet, 2017.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

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


@register("separable_conv2d")
@dataclass(frozen=True, slots=True)
class SeparableConv2D(Layer):
    """2-D convolution of each channel by itself, then a mix of the channels."""

    filters: Positive
    kernel_size: Pair
    strides: Pair = 1
    padding: Padding = "valid"
    dilation_rate: Pair = 1
    depth_multiplier: Positive = 1
    activation: Activation | None = None
    use_bias: bool = True
    depthwise_initializer: Initializer = GlorotUniform()
    pointwise_initializer: Initializer = GlorotUniform()
    bias_initializer: Initializer = Zeros()
    depthwise_regularizer: Regularizer | None = None
    pointwise_regularizer: Regularizer | None = None
    bias_regularizer: Regularizer | None = None

    def operations(self) -> tuple[Operation, ...]:
        return self.followed_by(self.activation)

    def output_shape(self, shape: Shape) -> Shape:
        height, width, _ = require_image(shape, "separable_conv2d")
        return (*self._windows().in_image((height, width), "kernel_size"), self.filters)

    def weights(self, shape: Shape) -> dict[str, Weight]:
        channels, multiplier = elements(shape[-1:]), self.depth_multiplier
        depthwise = (*pair(self.kernel_size), channels, multiplier)
        pointwise = (1, 1, channels * multiplier, self.filters)
        weights = {
            "depthwise_kernel": Weight(
                depthwise, self.depthwise_initializer, regularizer=self.depthwise_regularizer
            ),
            "pointwise_kernel": Weight(
                pointwise, self.pointwise_initializer, regularizer=self.pointwise_regularizer
            ),
        }
        if self.use_bias:
            weights["bias"] = Weight(
                (self.filters,), self.bias_initializer, regularizer=self.bias_regularizer
            )
        return weights

    def flops(self, shape: Shape) -> int:
        mixed = elements(shape[-1:]) * self.depth_multiplier
        taps = elements(pair(self.kernel_size))
        windows = elements(self.output_shape(shape)[:2])
        return windows * (2 * mixed * (taps + self.filters) + self.use_bias * self.filters)

    def kept(self, shape: Shape) -> int:
        mixed = elements(shape[2:]) * self.depth_multiplier
        return 2 * mixed * elements(self.output_shape(shape)[:2])

    def scratch(self, shape: Shape, examples: int) -> int:
        return depthwise_scratch(shape, self._windows(), self.depth_multiplier, examples)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, tuple[Array, Array]]:
        middle = correlate_depthwise(x, params["depthwise_kernel"], self._windows(), pass_)
        y = pass_.buffer("mixed", (*middle.shape[:3], self.filters), x.dtype)
        np.matmul(_vectors(middle), params["pointwise_kernel"][0, 0], out=_vectors(y))
        return add_bias(params, y), (x, middle)

    def backward(
        self, params: Params, cache: tuple[Array, Array], dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        x, middle = cache
        depthwise, pointwise = params["depthwise_kernel"], params["pointwise_kernel"]
        dpointwise = _vectors(middle).T @ _vectors(dy)
        dmiddle = pass_.buffer("dmiddle", middle.shape, x.dtype)
        np.matmul(_vectors(dy), pointwise[0, 0].T, out=_vectors(dmiddle))
        dx, ddepthwise = depthwise_gradients(x, depthwise, dmiddle, self._windows(), pass_)
        return dx, {
            "depthwise_kernel": ddepthwise,
            "pointwise_kernel": dpointwise.reshape(pointwise.shape),
        } | bias_gradient(params, dy, pass_)

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        depthwise = {"depthwise_kernel": params["depthwise_kernel"]}
        name, *_ = depthwise
        mixed = sliding.convolve_depthwise(depthwise, name, x, self._windows(), graph)
        pointwise = {"kernel": params["pointwise_kernel"]}
        if self.use_bias:
            pointwise["bias"] = params["bias"]
        return sliding.convolve(
            pointwise, replace(x, name=mixed), Windows((1, 1), (1, 1)), 1, graph
        )

    def _windows(self) -> Windows:
        size, strides, dilation = self.kernel_size, self.strides, self.dilation_rate
        return Windows(pair(size), pair(strides), self.padding, pair(dilation))


def _vectors(images: Array) -> Array:
    return images.reshape(images.size // images.shape[3], images.shape[3])
