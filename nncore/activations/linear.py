"""No activation: y = x."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.onnx.graph import Graph, Value
from nncore.passes import Pass
from nncore.registry import register
from nncore.shapes import Shape


@register("linear")
@dataclass(frozen=True, slots=True)
class Linear(Activation):
    """y = x."""

    def flops(self, shape: Shape) -> int:
        return 0

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, None]:
        return x, None

    def backward(self, params: Params, cache: None, dy: Array, pass_: Pass) -> tuple[Array, Params]:
        return dy, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return x.name
