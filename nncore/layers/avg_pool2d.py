"""Mean over windows of each channel.   x (N, H, W, C), y (N, OH, OW, C).

`same` padding does not count: a window at the edge averages over what it has of the image.
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
from nncore.shapes import Pair, Shape, elements, pair
from nncore.windows import Padding, Windows, require_image


@register("avg_pool2d")
@dataclass(frozen=True, slots=True)
class AvgPool2D(Layer):
    """Mean over windows; the strides are the window's size unless given."""

    pool_size: Pair = 2
    strides: Pair | None = None
    padding: Padding = "valid"

    def output_shape(self, shape: Shape) -> Shape:
        height, width, channels = require_image(shape, "avg_pool2d")
        check_taps(self._windows())
        return (*self._windows().in_image((height, width), "pool_size"), channels)

    def flops(self, shape: Shape) -> int:
        return elements(self.output_shape(shape)) * elements(pair(self.pool_size))

    def kept(self, shape: Shape) -> int:
        return pool_kept(shape, self._windows())

    def scratch(self, shape: Shape, examples: int) -> int:
        return pool_scratch(self.output_shape(shape), examples)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, tuple[int, ...]]:
        return pool_means(x, self._windows(), pass_), x.shape

    def backward(
        self, params: Params, cache: tuple[int, ...], dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        return pool_means_back(cache, dy, self._windows(), pass_), {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return sliding.pool("AveragePool", x, self._windows(), 0, graph)

    def _windows(self) -> Windows:
        strides = self.pool_size if self.strides is None else self.strides
        return Windows(pair(self.pool_size), pair(strides), self.padding)
