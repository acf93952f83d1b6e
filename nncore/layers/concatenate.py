"""Inputs side by side along an axis; dL/dx_k is dL/dy's part.

x_k (N, ..., S_k, ...), y (N, ..., S_1 + S_2 + ..., ...); the other axes agree. The batch is axis 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import Array, Params
from nncore.errors import ArchitectureError
from nncore.layers.layer import Layer
from nncore.merging import Arrays, Masks, Shapes, intersection
from nncore.onnx.graph import Graph, Value
from nncore.onnx.masks import full_mask, joint_mask
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Shape, written


@register("concatenate")
@dataclass(frozen=True, slots=True)
class Concatenate(Layer):
    """Two or more inputs side by side along an axis, by default the last (0 is the batch)."""

    many: ClassVar[bool] = True

    axis: int = -1

    def output_shape(self, shape: Shapes) -> Shape:
        first, *others = shape
        axis = self._axis(len(first) + 1) - 1
        for other in others:
            self._check(first, other, axis)
        sizes = list(zip(*shape, strict=True))
        after = [next((size for size in along if size is not None), None) for along in sizes]
        known = [size for size in sizes[axis] if size is not None]
        after[axis] = sum(known) if len(known) == len(shape) else None
        return tuple(after)

    def output_mask(self, x: Arrays, mask: Masks) -> Mask | None:
        if self._axis(x[0].ndim) != 1:
            return intersection(mask)
        if all(part is None for part in mask):
            return None
        parts = [
            np.ones(values.shape[:2], np.bool_) if part is None else part
            for values, part in zip(x, mask, strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def forward(self, params: Params, x: Arrays, pass_: Pass) -> tuple[Array, list[int]]:
        axis = self._axis(x[0].ndim)
        sizes = [part.shape[axis] for part in x]
        shape = (*x[0].shape[:axis], sum(sizes), *x[0].shape[axis + 1 :])
        y = pass_.buffer("y", shape, x[0].dtype)
        np.concatenate(x, axis=axis, out=y)
        return y, sizes

    def backward(
        self, params: Params, cache: list[int], dy: Array, pass_: Pass
    ) -> tuple[Arrays, Params]:
        axis = self._axis(dy.ndim)
        parts = np.split(dy, np.cumsum(cache[:-1]), axis=axis)
        return tuple(np.ascontiguousarray(part) for part in parts), {}

    def to_onnx(self, params: Params, x: tuple[Value, ...], graph: Graph) -> str:
        return graph.node(
            "Concat", *(part.name for part in x), axis=self._axis(len(x[0].shape) + 1)
        )

    def onnx_mask(self, x: tuple[Value, ...], graph: Graph) -> Value | None:
        if self._axis(len(x[0].shape) + 1) != 1:
            return joint_mask([part.mask for part in x], graph)
        if all(part.mask is None for part in x):
            return None
        masks = [full_mask(part, graph) if part.mask is None else part.mask for part in x]
        steps = self.output_shape(tuple(mask.shape for mask in masks))
        return Value(graph.node("Concat", *(mask.name for mask in masks), axis=1), steps)

    def _axis(self, rank: int) -> int:
        axis = self.axis + rank if self.axis < 0 else self.axis
        if not 1 <= axis < rank:
            raise ArchitectureError(
                "/axis",
                f"{self.axis} is no axis of an input with {rank - 1} axes besides the batch; "
                f"use 1 ... {rank - 1}, or -1 for the last",
            )
        return axis

    def _check(self, one: Shape, other: Shape, axis: int) -> None:
        agree = len(one) == len(other) and all(
            place == axis or mine is None or theirs is None or mine == theirs
            for place, (mine, theirs) in enumerate(zip(one, other, strict=False))
        )
        if not agree:
            raise ArchitectureError(
                "/inputs",
                f"concatenate cannot join shapes {written(one)} and {written(other)} along axis "
                f"{axis + 1}: all other axes must agree",
            )
