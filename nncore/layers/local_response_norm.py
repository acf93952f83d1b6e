"""Local response normalization: y_c = x_c / (bias + alpha sum of x_k^2 over |k - c| <= r)^beta.

x, y (N, ..., C); r = depth_radius. The sums over neighbouring channels are one product with a band
of ones (C, C), unless C is large. Krizhevsky, Sutskever and Hinton, 2012; fields and defaults as in
TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from nncore.arrays import Array, Params
from nncore.documents.limits import Range
from nncore.layers.layer import Layer
from nncore.normalization import feature_axis
from nncore.onnx.graph import Graph, Value
from nncore.onnx.sliding import channels_first, channels_last
from nncore.passes import Pass
from nncore.registry import register
from nncore.shapes import Amount, Shape, elements

_WIDEST_BAND = 1024


@register("local_response_norm")
@dataclass(frozen=True, slots=True)
class LocalResponseNorm(Layer):
    """Damps a channel where its neighbours are strong."""

    depth_radius: Amount = 5
    bias: Annotated[float, Range(above=0)] = 1.0
    alpha: Annotated[float, Range(min=0)] = 1.0
    beta: Annotated[float, Range(min=0)] = 0.5

    def output_shape(self, shape: Shape) -> Shape:
        feature_axis(-1, shape, "local_response_norm")
        return shape

    def flops(self, shape: Shape) -> int:
        return elements(shape) * (2 * self.depth_radius + 6)

    def kept(self, shape: Shape) -> int:
        return 4 * elements(shape)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, tuple[Array, ...]]:
        vectors = x.reshape(x.size // x.shape[-1], x.shape[-1])
        squares = pass_.scratch("squares", vectors.shape, x.dtype)
        damping = pass_.buffer("damping", vectors.shape, x.dtype)
        np.multiply(vectors, vectors, out=squares)
        self._sum_near(squares, damping)
        damping *= self.alpha
        damping += self.bias
        power = pass_.buffer("power", vectors.shape, x.dtype)
        np.power(damping, -self.beta, out=power)
        y = pass_.buffer("y", x.shape, x.dtype)
        np.multiply(vectors, power, out=y.reshape(vectors.shape))
        return y, (vectors, damping, power)

    def backward(
        self, params: Params, cache: tuple[Array, ...], dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        x, damping, power = cache
        slopes = dy.reshape(x.shape)
        share = pass_.scratch("share", x.shape, x.dtype)
        np.multiply(slopes, x, out=share)
        share *= power
        share /= damping
        dx = pass_.buffer("dx", x.shape, x.dtype)
        self._sum_near(share, dx)
        dx *= x
        dx *= -2 * self.alpha * self.beta
        dx += np.multiply(slopes, power, out=share)
        return dx.reshape(dy.shape), {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        size = 2 * self.depth_radius + 1
        image = x.name
        if len(x.shape) != 3:
            image = graph.reshape(image, 0, -1, 1, elements(x.shape[-1:]))
        y = graph.node(
            "LRN",
            channels_first(image, 2, graph),
            size=size,
            alpha=float(self.alpha * size),
            beta=float(self.beta),
            bias=float(self.bias),
        )
        y = channels_last(y, 2, graph)
        return y if len(x.shape) == 3 else graph.shaped(y, 0, x.shape, x.name, 1)

    def _sum_near(self, values: Array, total: Array) -> None:
        """Write the sums over each channel's neighbourhood of values (R, C) into `total`."""
        channels = np.arange(values.shape[1])
        if len(channels) <= _WIDEST_BAND:
            near = np.abs(channels[:, None] - channels) <= self.depth_radius
            np.matmul(values, near.astype(values.dtype), out=total)
            return
        np.copyto(total, values)
        for apart in range(1, min(self.depth_radius, len(channels) - 1) + 1):
            total[:, apart:] += values[:, :-apart]
            total[:, :-apart] += values[:, apart:]
