"""All values of an example in one axis, row by row.   x (N, A, B, ...), y (N, A B ...)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nncore.arrays import Array, Params
from nncore.contiguous import contiguous
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Shape, elements


@register("flatten")
@dataclass(frozen=True, slots=True)
class Flatten(Layer):
    """All values of an example in one axis."""

    repeatable: ClassVar[bool] = True

    def output_shape(self, shape: Shape) -> Shape:
        return (None if None in shape else elements(shape),)

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, tuple[int, ...]]:
        return contiguous(x, "y", pass_).reshape(len(x), elements(x.shape[1:])), x.shape

    def backward(
        self, params: Params, cache: tuple[int, ...], dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        return dy.reshape(cache), {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("Flatten", x.name, axis=1)
