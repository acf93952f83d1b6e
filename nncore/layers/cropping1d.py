"""A sequence without its ends.   x (N, T, C), y (N, T - before - after, C)."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.arrays import Array, Params
from nncore.framing import cut_out, frame_with_zeros, shrunk
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Amounts, Shape, pair
from nncore.windows import require_sequence


@register("cropping1d")
@dataclass(frozen=True, slots=True)
class Cropping1D(Layer):
    """Cuts off both ends of a sequence: one number for both, or [before, after]."""

    cropping: Amounts = 1

    def output_shape(self, shape: Shape) -> Shape:
        steps, channels = require_sequence(shape, "cropping1d")
        return shrunk(steps, pair(self.cropping), "length"), channels

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, None]:
        return cut_out(x[:, None], ((0, 0), pair(self.cropping)))[:, 0], None

    def backward(self, params: Params, cache: None, dy: Array, pass_: Pass) -> tuple[Array, Params]:
        margins = ((0, 0), pair(self.cropping))
        return frame_with_zeros(dy[:, None], margins, pass_)[:, 0], {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        before, after = pair(self.cropping)
        return graph.cut(x.name, [before], [after], [1])
