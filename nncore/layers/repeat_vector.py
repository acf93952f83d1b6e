"""A vector as every step of a sequence.   x (N, C), y (N, n, C)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, Params
from nncore.errors import ArchitectureError
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Positive, Shape, written


@register("repeat_vector")
@dataclass(frozen=True, slots=True)
class RepeatVector(Layer):
    """A vector n times, as the steps of a sequence."""

    n: Positive

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise ArchitectureError(
                "", f"repeat_vector needs a vector [channels], got shape {written(shape)}"
            )
        return (self.n, *shape)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, None]:
        y = pass_.buffer("y", (len(x), self.n, x.shape[1]), x.dtype)
        np.copyto(y, x[:, None])
        return y, None

    def backward(self, params: Params, cache: None, dy: Array, pass_: Pass) -> tuple[Array, Params]:
        return dy.sum(axis=1), {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Expand", graph.unsqueeze(x.name, 1), graph.integers(1, self.n, 1))
