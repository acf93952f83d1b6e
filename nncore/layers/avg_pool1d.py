"""Mean over windows of each channel.   x (N, T, C), y (N, OT, C).

`same` padding does not count: a window at the edge averages over what it has of the sequence.
"""

from __future__ import annotations

from dataclasses import dataclass

from nncore.arrays import Array, Params
from nncore.layers.layer import Layer
from nncore.onnx import sliding
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.pooling import check_taps, pool_kept, pool_means, pool_means_back, pool_scratch
from nncore.registry import register
from nncore.shapes import Positive, Shape, elements
from nncore.windows import Padding, Windows, require_sequence


@register("avg_pool1d")
@dataclass(frozen=True, slots=True)
class AvgPool1D(Layer):
    """Mean over windows; the strides are the window's size unless given."""

    pool_size: Positive = 2
    strides: Positive | None = None
    padding: Padding = "valid"

    def output_shape(self, shape: Shape) -> Shape:
        steps, channels = require_sequence(shape, "avg_pool1d")
        check_taps(self._windows())
        return self._windows().in_sequence(steps, "pool_size"), channels

    def flops(self, shape: Shape) -> int:
        return elements(self.output_shape(shape)) * self.pool_size

    def kept(self, shape: Shape) -> int:
        return pool_kept((shape[0], 1, shape[1]), self._windows())

    def scratch(self, shape: Shape, examples: int) -> int:
        return pool_scratch(self.output_shape(shape), examples)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, tuple[int, ...]]:
        images = x[:, :, None]
        return pool_means(images, self._windows(), pass_)[:, :, 0], images.shape

    def backward(
        self, params: Params, cache: tuple[int, ...], dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        return pool_means_back(cache, dy[:, :, None], self._windows(), pass_)[:, :, 0], {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return sliding.pool("AveragePool", x, self._windows(), 0, graph)

    def _windows(self) -> Windows:
        strides = self.pool_size if self.strides is None else self.strides
        return Windows.along(self.pool_size, strides, self.padding)
