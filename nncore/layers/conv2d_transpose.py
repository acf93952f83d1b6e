"""Transposed convolution of images: y[strides o + dilation i - offset] sums K[i] x[o], plus b.

x (N, H, W, C), K (KH, KW, F, C), b (F,), y (N, OH, OW, F): the adjoint of a convolution that takes
images of y's size to x's. With reach R = (KH - 1) dilation + 1, OH is (H - 1) strides +
max(R, strides) for `valid` padding and H strides for `same`; an output_padding P makes it
(H - 1) strides + R + P and (H - 1) strides + R mod 2 + P. Dumoulin and Visin, 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
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
from nncore.shapes import Amounts, Pair, Positive, Shape, elements, pair
from nncore.transposition import Axis, Transposition
from nncore.windows import Padding, require_image


@register("conv2d_transpose")
@dataclass(frozen=True, slots=True)
class Conv2DTranspose(Layer):
    """2-D transposed convolution of images [height, width, channels]."""

    filters: Positive
    kernel_size: Pair
    strides: Pair = 1
    padding: Padding = "valid"
    output_padding: Amounts | None = None
    dilation_rate: Pair = 1
    activation: Activation | None = None
    use_bias: bool = True
    kernel_initializer: Initializer = GlorotUniform()
    bias_initializer: Initializer = Zeros()
    kernel_regularizer: Regularizer | None = None
    bias_regularizer: Regularizer | None = None

    def operations(self) -> tuple[Operation, ...]:
        return self.followed_by(self.activation)

    def output_shape(self, shape: Shape) -> Shape:
        height, width, _ = require_image(shape, "conv2d_transpose")
        axes = self._transposition()
        return axes.vertical.fitting(height), axes.horizontal.fitting(width), self.filters

    def weights(self, shape: Shape) -> dict[str, Weight]:
        kernel = (*pair(self.kernel_size), self.filters, elements(shape[-1:]))
        weights = {
            "kernel": Weight(kernel, self.kernel_initializer, regularizer=self.kernel_regularizer)
        }
        if self.use_bias:
            weights["bias"] = Weight(
                (self.filters,), self.bias_initializer, regularizer=self.bias_regularizer
            )
        return weights

    def flops(self, shape: Shape) -> int:
        taps = elements(shape) * elements(pair(self.kernel_size)) * self.filters
        return 2 * taps + self.use_bias * elements(self.output_shape(shape))

    def scratch(self, shape: Shape, examples: int) -> int:
        return self._transposition().scratch(shape, self.filters, examples)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        return self._transposition().forward(params, x, pass_), x

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        return self._transposition().backward(params, cache, dy, pass_)

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        axes = self._transposition()
        return sliding.convolve_transposed(params, x, [axes.vertical, axes.horizontal], graph)

    def _transposition(self) -> Transposition:
        extra = (None, None) if self.output_padding is None else pair(self.output_padding)
        size, strides = pair(self.kernel_size), pair(self.strides)
        axes = zip(size, strides, pair(self.dilation_rate), extra, strict=True)
        vertical, horizontal = (Axis(*axis, self.padding) for axis in axes)
        return Transposition(vertical, horizontal)
