"""Each step several times.   x (N, T, C), y (N, T size, C)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, Params
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Positive, Shape, check_added
from nncore.windows import require_sequence


@register("up_sampling1d")
@dataclass(frozen=True, slots=True)
class UpSampling1D(Layer):
    """Repeats each step of a sequence."""

    size: Positive = 2

    def output_shape(self, shape: Shape) -> Shape:
        steps, channels = require_sequence(shape, "up_sampling1d")
        check_added(steps, self.size, "size")
        return None if steps is None else steps * self.size, channels

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, None]:
        n, steps, channels = x.shape
        y = pass_.buffer("y", (n, steps, self.size, channels), x.dtype)
        np.copyto(y, x[:, :, None])
        return y.reshape(n, steps * self.size, channels), None

    def backward(self, params: Params, cache: None, dy: Array, pass_: Pass) -> tuple[Array, Params]:
        n, steps, channels = dy.shape
        return dy.reshape(n, steps // self.size, self.size, channels).sum(axis=2), {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node(
            "Resize",
            x.name,
            "",
            graph.factors(1, self.size, 1),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
