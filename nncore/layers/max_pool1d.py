"""Maximum over windows of each channel.   x (N, T, C), y (N, OT, C).

`same` padding never wins a maximum. The gradient goes to the first maximum of a window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import Array, Params
from nncore.layers.layer import Layer
from nncore.onnx import sliding
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.pooling import (
    Cache,
    check_taps,
    pool_extremes,
    pool_extremes_back,
    pool_kept,
    pool_scratch,
)
from nncore.registry import register
from nncore.shapes import Positive, Shape, elements
from nncore.windows import Padding, Windows, require_sequence


@register("max_pool1d")
@dataclass(frozen=True, slots=True)
class MaxPool1D(Layer):
    """Maximum over windows; the strides are the window's size unless given."""

    repeatable: ClassVar[bool] = True
    takes_maxima: ClassVar[bool] = True

    pool_size: Positive = 2
    strides: Positive | None = None
    padding: Padding = "valid"

    def output_shape(self, shape: Shape) -> Shape:
        steps, channels = require_sequence(shape, "max_pool1d")
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

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Cache]:
        y, cache = pool_extremes(x[:, :, None], self._windows(), np.maximum, -np.inf, pass_)
        return y[:, :, 0], cache

    def backward(
        self, params: Params, cache: Cache, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        return pool_extremes_back(cache, dy[:, :, None], self._windows(), pass_)[:, :, 0], {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return sliding.pool("MaxPool", x, self._windows(), -np.inf, graph)

    def _windows(self) -> Windows:
        strides = self.pool_size if self.strides is None else self.strides
        return Windows.along(self.pool_size, strides, self.padding)
