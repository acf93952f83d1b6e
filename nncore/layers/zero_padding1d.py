"""Zeros before and after a sequence.   x (N, T, C), y (N, before + T + after, C)."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.arrays import Array, Params
from nncore.framing import cut_out, frame_with_zeros, grown
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Amounts, Shape, pair
from nncore.windows import require_sequence


@register("zero_padding1d")
@dataclass(frozen=True, slots=True)
class ZeroPadding1D(Layer):
    """Zeros at both ends of a sequence: one number for both, or [before, after]."""

    padding: Amounts = 1

    def output_shape(self, shape: Shape) -> Shape:
        steps, channels = require_sequence(shape, "zero_padding1d")
        return grown(steps, pair(self.padding)), channels

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, None]:
        margins = ((0, 0), pair(self.padding))
        return frame_with_zeros(x[:, None], margins, pass_)[:, 0], None

    def backward(self, params: Params, cache: None, dy: Array, pass_: Pass) -> tuple[Array, Params]:
        return cut_out(dy[:, None], ((0, 0), pair(self.padding)))[:, 0], {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        before, after = pair(self.padding)
        return graph.node("Pad", x.name, graph.integers(0, before, 0, 0, after, 0))
