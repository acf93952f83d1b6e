"""Dot products of two inputs along an axis of each: y = sum_k a[..., k, ...] b[..., k, ...].

a (N, A..., K), b (N, B..., K) with K at the axes given, y (N, A..., B...), or (N, 1) without A and
B. With `normalize`, vectors are divided by their length first: y is the cosine. As matrices,
da = dy b and db = dy^T a; through the normalization of a = x / |x|, dx = (da - a (a . da)) / |x|.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import Array, Params
from nncore.errors import ArchitectureError
from nncore.layers.layer import Layer
from nncore.merging import Arrays, Masks, Shapes, two_inputs
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Shape, elements, written

_SHORTEST = 1e-7  # Keras' epsilon: a vector shorter than this is not made longer than that allows


@dataclass(frozen=True, slots=True)
class Side:
    """One input as vectors (N, rows, K), and 1 / length of each if they were normalized."""

    vectors: Array
    inverse: Array | None
    shape: tuple[int, ...]
    axis: int

    def gradient(self, slope: Array) -> Array:
        """dL/dx from dL/dvectors."""
        if self.inverse is not None:
            along = (self.vectors * slope).sum(axis=-1, keepdims=True)
            along *= self.inverse < 1 / _SHORTEST
            slope = (slope - self.vectors * along) * self.inverse
        rest = self.shape[1 : self.axis] + self.shape[self.axis + 1 :]
        whole = slope.reshape(self.shape[0], *rest, self.shape[self.axis])
        return np.ascontiguousarray(np.moveaxis(whole, -1, self.axis))


@register("dot")
@dataclass(frozen=True, slots=True)
class Dot(Layer):
    """Dot products of two inputs along `axes`, one for both or one for each (0 is the batch)."""

    many: ClassVar[bool] = True

    axes: int | tuple[int, int]
    normalize: bool = False

    def output_shape(self, shape: Shapes) -> Shape:
        two_inputs(self, shape)
        one, other = shape
        left, right = self._axes(len(one) + 1, len(other) + 1)
        sizes = one[left - 1], other[right - 1]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ArchitectureError(
                "/axes",
                f"{sizes[0]} and {sizes[1]} differ along these axes of {written(one)} and "
                f"{written(other)}; the sizes must agree",
            )
        rest = one[: left - 1] + one[left:] + other[: right - 1] + other[right:]
        return rest or (1,)

    def flops(self, shape: Shapes) -> int:
        left, _ = self._axes(len(shape[0]) + 1, len(shape[1]) + 1)
        return 2 * elements(self.output_shape(shape)) * elements(shape[0][left - 1 : left])

    def output_mask(self, x: Arrays, mask: Masks) -> Mask | None:
        return None

    def forward(self, params: Params, x: Arrays, pass_: Pass) -> tuple[Array, tuple[Side, Side]]:
        left, right = self._axes(x[0].ndim, x[1].ndim)
        one, other = self._side(x[0], left), self._side(x[1], right)
        y = one.vectors @ other.vectors.transpose(0, 2, 1)
        rest = [side.shape[1 : side.axis] + side.shape[side.axis + 1 :] for side in (one, other)]
        return y.reshape(len(y), *((*rest[0], *rest[1]) or (1,))), (one, other)

    def backward(
        self, params: Params, cache: tuple[Side, Side], dy: Array, pass_: Pass
    ) -> tuple[Arrays, Params]:
        one, other = cache
        slopes = dy.reshape(len(dy), one.vectors.shape[1], other.vectors.shape[1])
        first = one.gradient(slopes @ other.vectors)
        return (first, other.gradient(slopes.transpose(0, 2, 1) @ one.vectors)), {}

    def to_onnx(self, params: Params, x: tuple[Value, ...], graph: Graph) -> str:
        axes = self._axes(*(len(part.shape) + 1 for part in x))
        one, other = (self._vectors(*side, graph) for side in zip(x, axes, strict=True))
        y = graph.node("MatMul", one, graph.turn(other, 0, 2, 1))
        rest = [
            graph.sizes(part.name, place, place + 1) if size is None else size
            for part, axis in zip(x, axes, strict=True)
            for place, size in enumerate(part.shape, start=1)
            if place != axis
        ]
        return graph.reshape(y, 0, *(rest or [1]))

    def _vectors(self, x: Value, axis: int, graph: Graph) -> str:
        others = [place for place in range(len(x.shape) + 1) if place != axis]
        size = x.shape[axis - 1]
        width = graph.sizes(x.name, axis, axis + 1) if size is None else size
        vectors = graph.reshape(graph.turn(x.name, *others, axis), 0, -1, width)
        if not self.normalize:
            return vectors
        lengths = graph.reduce("ReduceL2", vectors, 2)
        return graph.node("Div", vectors, graph.node("Max", lengths, graph.number(_SHORTEST)))

    def _side(self, x: Array, axis: int) -> Side:
        size = x.shape[axis]
        rows = elements(x.shape[1:]) // size
        vectors = np.moveaxis(x, axis, -1).reshape(len(x), rows, size)
        if not self.normalize:
            return Side(vectors, None, x.shape, axis)
        lengths = np.sqrt(np.square(vectors).sum(axis=-1, keepdims=True))
        inverse = 1 / np.maximum(lengths, x.dtype.type(_SHORTEST))
        return Side(vectors * inverse, inverse, x.shape, axis)

    def _axes(self, *ranks: int) -> tuple[int, int]:
        given = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        found = [axis + rank if axis < 0 else axis for axis, rank in zip(given, ranks, strict=True)]
        for place, (axis, rank) in enumerate(zip(found, ranks, strict=True)):
            if not 1 <= axis < rank:
                pointer = "/axes" if isinstance(self.axes, int) else f"/axes/{place}"
                raise ArchitectureError(
                    pointer,
                    f"{given[place]} is no axis of an input with {rank - 1} axes besides the "
                    f"batch; use 1 ... {rank - 1}, or -1 for the last",
                )
        return found[0], found[1]
