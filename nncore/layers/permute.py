"""Another order of an example's axes: axis i of y is axis dims[i] of x, counted from 1."""

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


@register("permute")
@dataclass(frozen=True, slots=True)
class Permute(Layer):
    """Another order of an example's axes, counted from 1: [2, 1] transposes."""

    dims: tuple[Positive, ...]

    def output_shape(self, shape: Shape) -> Shape:
        if sorted(self.dims) != list(range(1, len(shape) + 1)):
            raise ArchitectureError(
                "/dims",
                f"{written(self.dims)} must name each axis of the input's shape {written(shape)} "
                "once, counted from 1",
            )
        return tuple(shape[axis - 1] for axis in self.dims)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, None]:
        turned = x.transpose(0, *self.dims)
        y = pass_.buffer("y", turned.shape, x.dtype)
        np.copyto(y, turned)
        return y, None

    def backward(self, params: Params, cache: None, dy: Array, pass_: Pass) -> tuple[Array, Params]:
        turned = dy.transpose(0, *(self.dims.index(axis) + 1 for axis in sorted(self.dims)))
        dx = pass_.buffer("dx", turned.shape, dy.dtype)
        np.copyto(dx, turned)
        return dx, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.turn(x.name, 0, *self.dims)
