"""Masks the steps at which every feature has one value, and makes them zero.

mask_t = any feature of x_t differs from `mask_value`, y = x mask.   x, y (N, T, ...).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, Params
from nncore.errors import ArchitectureError
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.onnx.masks import joint_mask
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Shape, elements, written


@register("masking")
@dataclass(frozen=True, slots=True)
class Masking(Layer):
    """A step at which every feature equals `mask_value` is padding: the layers above skip it."""

    mask_value: float = 0.0

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) < 2:
            raise ArchitectureError(
                "", f"masking needs a sequence [steps, features], got shape {written(shape)}"
            )
        return shape

    def flops(self, shape: Shape) -> int:
        return elements(shape)

    def output_mask(self, x: Array, mask: Mask | None) -> Mask | None:
        data = self._data(x)
        return data if mask is None else data & mask

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Mask]:
        data = self._data(x)
        y = pass_.buffer("y", x.shape, x.dtype)
        np.copyto(y, x)
        y[~data] = 0
        return y, data

    def backward(self, params: Params, cache: Mask, dy: Array, pass_: Pass) -> tuple[Array, Params]:
        dy[~cache] = 0
        return dy, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        data = graph.node("Greater", self._found(x, graph), graph.number(0))
        return graph.node("Where", data, x.name, graph.number(0))

    def onnx_mask(self, x: Value, graph: Graph) -> Value | None:
        found = graph.squeeze(self._found(x, graph), *range(2, len(x.shape) + 1))
        data = graph.node("Greater", found, graph.number(0))
        return joint_mask([x.mask, Value(data, x.shape[:1])], graph)

    def _found(self, x: Value, graph: Graph) -> str:
        """1 at steps that hold data, else 0, (N, T, 1, ...)."""
        equal = graph.node("Equal", x.name, graph.number(self.mask_value))
        different = graph.real(graph.node("Not", equal))
        return graph.reduce("ReduceMax", different, *range(2, len(x.shape) + 1))

    def _data(self, x: Array) -> Mask:
        different = x != x.dtype.type(self.mask_value)
        data: Mask = different.any(axis=tuple(range(2, x.ndim)))
        return data
