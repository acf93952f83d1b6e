"""Transposed convolution of sequences: y[strides o + dilation i - offset] sums K[i] x[o], plus b.

x (N, T, C), K (KW, F, C), b (F,), y (N, OT, F); lengths as for conv2d_transpose. Carried out as a
transposed convolution of images of width 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.convolution import width_one
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
from nncore.shapes import Amount, Positive, Shape, elements
from nncore.transposition import Axis, Transposition
from nncore.windows import Padding, require_sequence


@register("conv1d_transpose")
@dataclass(frozen=True, slots=True)
class Conv1DTranspose(Layer):
    """1-D transposed convolution of sequences [steps, channels]."""

    filters: Positive
    kernel_size: Positive
    strides: Positive = 1
    padding: Padding = "valid"
    output_padding: Amount | None = None
    dilation_rate: Positive = 1
    activation: Activation | None = None
    use_bias: bool = True
    kernel_initializer: Initializer = GlorotUniform()
    bias_initializer: Initializer = Zeros()
    kernel_regularizer: Regularizer | None = None
    bias_regularizer: Regularizer | None = None

    def operations(self) -> tuple[Operation, ...]:
        return self.followed_by(self.activation)

    def output_shape(self, shape: Shape) -> Shape:
        steps, _ = require_sequence(shape, "conv1d_transpose")
        return self._transposition().vertical.fitting(steps), self.filters

    def weights(self, shape: Shape) -> dict[str, Weight]:
        kernel = (self.kernel_size, self.filters, elements(shape[-1:]))
        weights = {
            "kernel": Weight(kernel, self.kernel_initializer, regularizer=self.kernel_regularizer)
        }
        if self.use_bias:
            weights["bias"] = Weight(
                (self.filters,), self.bias_initializer, regularizer=self.bias_regularizer
            )
        return weights

    def flops(self, shape: Shape) -> int:
        taps = elements(shape) * self.kernel_size * self.filters
        return 2 * taps + self.use_bias * elements(self.output_shape(shape))

    def scratch(self, shape: Shape, examples: int) -> int:
        return self._transposition().scratch((shape[0], 1, shape[1]), self.filters, examples)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        return self._transposition().forward(width_one(params), x[:, :, None], pass_)[:, :, 0], x

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        x, weights = cache[:, :, None], width_one(params)
        dx, gradients = self._transposition().backward(weights, x, dy[:, :, None], pass_)
        gradients["kernel"] = gradients["kernel"][:, 0]
        return None if dx is None else dx[:, :, 0], gradients

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        axes = [self._transposition().vertical]
        return sliding.convolve_transposed(params, x, axes, graph)

    def _transposition(self) -> Transposition:
        steps = Axis(
            self.kernel_size, self.strides, self.dilation_rate, self.output_padding, self.padding
        )
        return Transposition(steps, Axis(1, 1, 1, None, "valid"))
