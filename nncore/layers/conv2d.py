"""2-D convolution (correlation, as in Keras), channels last.

y[o, p, f] = b[f] + sum over i, j, c of x[s o + d i - top, s p + d j - left, c] W[i, j, c, f]
with stride s, dilation d and zeros outside of x.
x (N, H, W, C), W (KH, KW, C / groups, F), b (F,), y (N, OH, OW, F); with groups, each group of
channels meets its own group of filters. LeCun et al., 1989.
"""

from __future__ import annotations

from dataclasses import dataclass

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.correlation import Geometry, correlate, kernel_gradient, turned
from nncore.errors import ArchitectureError
from nncore.initializers.constant import Zeros
from nncore.initializers.glorot import GlorotUniform
from nncore.initializers.initializer import Initializer
from nncore.layers.layer import Layer
from nncore.operation import Operation, Weight
from nncore.passes import Pass
from nncore.reductions import sum_rows
from nncore.registry import register
from nncore.shapes import Pair, Positive, Shape, elements, pair
from nncore.windows import Padding, count, margins, require_image, span, windows_in_image


@register("conv2d")
@dataclass(frozen=True, slots=True)
class Conv2D(Layer):
    """2-D convolution of images [height, width, channels]."""

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

    def operations(self) -> tuple[Operation, ...]:
        return self.followed_by(self.activation)

    def output_shape(self, shape: Shape) -> Shape:
        height, width, channels = require_image(shape, "conv2d")
        for field, number in (("input's channels", channels), ("filters", self.filters)):
            if number % self.groups:
                raise ArchitectureError(
                    "/groups", f"{self.groups} does not divide the {field} {number}"
                )
        windows = windows_in_image(
            (height, width), self._reach(), pair(self.strides), self.padding, "kernel_size"
        )
        return (*windows, self.filters)

    def weights(self, shape: Shape) -> dict[str, Weight]:
        inputs = elements(shape[-1:]) // self.groups
        kernel = Weight((*pair(self.kernel_size), inputs, self.filters), self.kernel_initializer)
        bias = Weight((self.filters,), self.bias_initializer)
        return {"kernel": kernel, "bias": bias} if self.use_bias else {"kernel": kernel}

    def flops(self, shape: Shape) -> int:
        taps = elements(pair(self.kernel_size)) * elements(shape[-1:]) // self.groups
        return elements(self.output_shape(shape)) * (2 * taps + self.use_bias)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        geometry = self._geometry(x)
        y = pass_.buffer("y", (len(x), *geometry.output, self.filters), x.dtype)
        correlate(x, params["kernel"], geometry, self.groups, y, pass_)
        if self.use_bias:
            y += params["bias"]
        return y, x

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        x, kernel, geometry = cache, params["kernel"], self._geometry(cache)
        dkernel = pass_.buffer("dkernel", kernel.shape, x.dtype)
        kernel_gradient(x, dy, geometry, self.groups, dkernel, pass_)
        gradients = {"kernel": dkernel}
        if self.use_bias:
            gradients["bias"] = sum_rows(dy.reshape(-1, self.filters))
        if not pass_.needs_dx:
            return None, gradients
        dx = pass_.buffer("dx", x.shape, x.dtype)
        back = geometry.adjoint(*x.shape[1:3])
        correlate(dy, turned(kernel, self.groups), back, self.groups, dx, pass_)
        return dx, gradients

    def _reach(self) -> tuple[int, int]:
        (rows, columns), (down, right) = pair(self.kernel_size), pair(self.dilation_rate)
        return span(rows, down), span(columns, right)

    def _geometry(self, x: Array) -> Geometry:
        axes = list(zip(x.shape[1:3], self._reach(), pair(self.strides), strict=True))
        (top, bottom), (left, right) = (margins(*axis, self.padding) for axis in axes)
        rows, columns = (count(*axis, self.padding) for axis in axes)
        return Geometry(
            kernel=pair(self.kernel_size),
            strides=pair(self.strides),
            dilation=pair(self.dilation_rate),
            frame=(x.shape[1] + top + bottom, x.shape[2] + left + right),
            offset=(top, left),
            spread=(1, 1),
            output=(rows, columns),
        )
