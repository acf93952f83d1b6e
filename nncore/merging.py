"""What layers share that join several inputs: shapes, masks, and elementwise joins.

Elementwise joins broadcast as Keras does: the shapes of examples are aligned at their last axes,
and a size of 1 stands for any other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np

from nncore.arrays import Array, Params
from nncore.errors import ArchitectureError
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.onnx.masks import joint_mask
from nncore.operation import Operation
from nncore.passes import Mask, Pass
from nncore.shapes import Shape, elements, written

Arrays = tuple[Array, ...]
Shapes = tuple[Shape, ...]
Masks = tuple[Mask | None, ...]


@dataclass(frozen=True, slots=True)
class Elementwise(Layer):
    """Joins inputs element by element. A position is padding where any input says so.

    `operator`: what joins two of them in ONNX.
    """

    many: ClassVar[bool] = True
    operator: ClassVar[str]

    def output_shape(self, shape: Shapes) -> Shape:
        return reduce(self._broadcast, shape)

    def _broadcast(self, one: Shape, other: Shape) -> Shape:
        rank = max(len(one), len(other))
        pairs = zip(_padded(one, rank), _padded(other, rank), strict=True)
        sizes = []
        for mine, theirs in pairs:
            if (
                mine is not None
                and theirs is not None
                and mine != theirs
                and 1 not in (mine, theirs)
            ):
                raise ArchitectureError(
                    "/inputs",
                    f"{self.type_name} cannot join shapes {written(one)} and {written(other)}: "
                    f"{mine} and {theirs} differ; make them the same, or one of them 1",
                )
            sizes.append(theirs if mine == 1 else mine if theirs == 1 or theirs == mine else None)
        return tuple(sizes)

    def flops(self, shape: Shapes) -> int:
        return (len(shape) - 1) * elements(self.output_shape(shape))

    def output_mask(self, x: Arrays, mask: Masks) -> Mask | None:
        return intersection(mask)

    def join(self, xs: Arrays, y: Array) -> None:
        """Write the join into y; the inputs have y's rank."""
        raise NotImplementedError

    def slopes(self, xs: Arrays, y: Array, dy: Array) -> Iterator[Array]:
        """dL/dx of each input in y's shape; arrays may be given more than once."""
        raise NotImplementedError

    def forward(self, params: Params, x: Arrays, pass_: Pass) -> tuple[Array, tuple[Arrays, Array]]:
        rank = max(part.ndim for part in x)
        xs = tuple(_of_rank(part, rank) for part in x)
        shape = np.broadcast_shapes(*(part.shape for part in xs))
        y = pass_.buffer("y", shape, x[0].dtype)
        self.join(xs, y)
        return y, (x, y)

    def backward(
        self, params: Params, cache: tuple[Arrays, Array], dy: Array, pass_: Pass
    ) -> tuple[Arrays, Params]:
        x, y = cache
        xs = tuple(_of_rank(part, y.ndim) for part in x)
        slopes = self.slopes(xs, y, dy)
        return tuple(
            _summed(slope, aligned.shape).reshape(part.shape)
            for part, aligned, slope in zip(x, xs, slopes, strict=True)
        ), {}

    def to_onnx(self, params: Params, x: tuple[Value, ...], graph: Graph) -> str:
        rank = max(len(part.shape) for part in x)
        missing = [range(1, 1 + rank - len(part.shape)) for part in x]
        names = [
            graph.unsqueeze(part.name, *axes) if axes else part.name
            for part, axes in zip(x, missing, strict=True)
        ]
        return reduce(lambda one, other: graph.node(self.operator, one, other), names)

    def onnx_mask(self, x: tuple[Value, ...], graph: Graph) -> Value | None:
        return joint_mask([part.mask for part in x], graph)


def two_inputs(layer: Operation, shapes: Shapes) -> None:
    """Raise ArchitectureError unless there are exactly two inputs."""
    if len(shapes) != 2:
        raise ArchitectureError(
            "/inputs", f"{layer.type_name} takes exactly two inputs, got {len(shapes)}"
        )


def intersection(masks: Masks) -> Mask | None:
    """Positions that hold data in every input; None: all do."""
    given = [mask for mask in masks if mask is not None]
    same = [mask for mask in given if mask.shape == given[0].shape]
    return reduce(np.logical_and, same) if same else None


def _padded(shape: Shape, rank: int) -> Shape:
    return (1,) * (rank - len(shape)) + shape


def _of_rank(x: Array, rank: int) -> Array:
    return x.reshape(len(x), *(1,) * (rank - x.ndim), *x.shape[1:])


def _summed(slope: Array, shape: tuple[int, ...]) -> Array:
    """A gradient summed over the axes along which its input was repeated."""
    axes = tuple(
        axis for axis, size in enumerate(shape) if size == 1 and slope.shape[axis] != 1 and axis
    )
    return slope.sum(axis=axes, keepdims=True) if axes else slope


def product(xs: Arrays) -> Array:
    """The product of arrays, broadcast."""
    return math.prod(xs[1:], start=xs[0])
