"""The values of an example in another shape, row by row.   x (N, A, B, ...), y (N, P, Q, ...)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from nncore.arrays import Array, Params
from nncore.documents.limits import Range
from nncore.errors import ArchitectureError
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Shape, elements, written


@register("reshape")
@dataclass(frozen=True, slots=True)
class Reshape(Layer):
    """The values of an example in another shape; one size may be -1: whatever remains."""

    target_shape: tuple[Annotated[int, Range(min=-1)], ...]

    def output_shape(self, shape: Shape) -> Shape:
        self._check()
        known = elements(tuple(size for size in self.target_shape if size != -1))
        if None in shape:
            return tuple(None if size == -1 else size for size in self.target_shape)
        size, rest = elements(shape), elements(shape) // known
        if size != known * (rest if -1 in self.target_shape else 1):
            raise ArchitectureError(
                "/target_shape",
                f"{written(self.target_shape)} cannot hold the {size} values of the input's shape "
                f"{written(shape)}",
            )
        return tuple(rest if size == -1 else size for size in self.target_shape)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, tuple[int, ...]]:
        shape = tuple(size for size in self.output_shape(x.shape[1:]) if size is not None)
        return np.ascontiguousarray(x).reshape(len(x), *shape), x.shape

    def backward(
        self, params: Params, cache: tuple[int, ...], dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        return dy.reshape(cache), {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        sizes = self.output_shape(x.shape)
        return graph.reshape(x.name, 0, *(-1 if size is None else size for size in sizes))

    def _check(self) -> None:
        if 0 in self.target_shape or not self.target_shape:
            raise ArchitectureError(
                "/target_shape", "needs sizes of at least 1, or -1 for one that follows"
            )
        if self.target_shape.count(-1) > 1:
            raise ArchitectureError("/target_shape", "only one size may be -1")
