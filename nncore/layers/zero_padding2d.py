"""Zeros around an image.   x (N, H, W, C), y (N, above + H + below, left + W + right, C)."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.arrays import Array, Params
from nncore.framing import Margins, cut_out, frame_of, frame_with_zeros, grown
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Shape
from nncore.windows import require_image


@register("zero_padding2d")
@dataclass(frozen=True, slots=True)
class ZeroPadding2D(Layer):
    """Zeros around: one number, [vertical, horizontal], or [[above, below], [left, right]]."""

    padding: Margins = 1

    def output_shape(self, shape: Shape) -> Shape:
        height, width, channels = require_image(shape, "zero_padding2d")
        vertical, horizontal = frame_of(self.padding)
        return grown(height, vertical), grown(width, horizontal), channels

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, None]:
        return frame_with_zeros(x, frame_of(self.padding), pass_), None

    def backward(self, params: Params, cache: None, dy: Array, pass_: Pass) -> tuple[Array, Params]:
        return cut_out(dy, frame_of(self.padding)), {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        (above, below), (left, right) = frame_of(self.padding)
        pads = graph.integers(0, above, left, 0, 0, below, right, 0)
        return graph.node("Pad", x.name, pads)
