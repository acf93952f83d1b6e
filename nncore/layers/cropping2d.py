"""An image without its edges.   x (N, H, W, C), y (N, H - above - below, W - left - right, C)."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.arrays import Array, Params
from nncore.framing import Margins, cut_out, frame_of, frame_with_zeros, shrunk
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Shape
from nncore.windows import require_image


@register("cropping2d")
@dataclass(frozen=True, slots=True)
class Cropping2D(Layer):
    """Cuts off edges: one number, [vertical, horizontal], or [[above, below], [left, right]]."""

    cropping: Margins = 0

    def output_shape(self, shape: Shape) -> Shape:
        height, width, channels = require_image(shape, "cropping2d")
        vertical, horizontal = frame_of(self.cropping)
        return shrunk(height, vertical, "height"), shrunk(width, horizontal, "width"), channels

    def output_mask(self, x: Array, mask: Mask | None) -> None:
        return None

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, None]:
        return cut_out(x, frame_of(self.cropping)), None

    def backward(self, params: Params, cache: None, dy: Array, pass_: Pass) -> tuple[Array, Params]:
        return frame_with_zeros(dy, frame_of(self.cropping), pass_), {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        (above, below), (left, right) = frame_of(self.cropping)
        return graph.cut(x.name, [above, left], [below, right], [1, 2])
