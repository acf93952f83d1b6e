"""Dropout of whole channels: in training, `rate` of an example's channels are zero at all steps.

x, y (N, T, C). Tompson, Goroshin, Jain, LeCun and Bregler, 2015; scaled at training time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from nncore.arrays import Array, Params
from nncore.channel_dropout import drop_channels
from nncore.documents.limits import Range
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.passes import Pass
from nncore.registry import register
from nncore.shapes import Shape, elements
from nncore.windows import require_sequence


@register("spatial_dropout1d")
@dataclass(frozen=True, slots=True)
class SpatialDropout1D(Layer):
    """Sets random channels of sequences to zero in training and scales up the others."""

    only_trains: ClassVar[bool] = True

    rate: Annotated[float, Range(min=0, below=1)]

    def output_shape(self, shape: Shape) -> Shape:
        require_sequence(shape, "spatial_dropout1d")
        return shape

    def flops(self, shape: Shape) -> int:
        return elements(shape)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array | None]:
        return drop_channels(x, self.rate, pass_)

    def backward(
        self, params: Params, cache: Array | None, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        if cache is not None:
            dy *= cache
        return dy, {}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return x.name
