"""A recurrent layer in both directions, and both outputs merged.   x (N, T, I).

concat: (N, ..., 2 U), forward first; sum, mul, ave: (N, ..., U). The backward outputs are turned
round, so that both speak of the same step. Schuster and Paliwal, 1997.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from nncore.arrays import Array, Params
from nncore.errors import ArchitectureError
from nncore.layers.layer import Layer
from nncore.layers.recurrent import Reading, Recurrent, Way
from nncore.onnx.graph import Graph, Value
from nncore.operation import Weight
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.shapes import Shape, elements
from nncore.wrapping import check_wrapped

MergeMode = Literal["concat", "sum", "mul", "ave"]


class _Cache(NamedTuple):
    ahead: Array
    back: Array
    reading: Reading


@register("bidirectional")
@dataclass(frozen=True, slots=True)
class Bidirectional(Layer):
    """Reads sequences in both directions with two copies of a recurrent layer."""

    layer: Layer
    merge_mode: MergeMode = "concat"

    ways: ClassVar[tuple[str, str]] = ("forward", "backward")

    def output_shape(self, shape: Shape) -> Shape:
        self._check()
        try:
            inner = self.layer.output_shape(shape)
        except ArchitectureError as error:
            raise error.under("/layer") from None
        return (*inner[:-1], self._width(inner))

    def weights(self, shape: Shape) -> dict[str, Weight]:
        inner = self.layer.weights(shape)
        return {f"{way}.{name}": weight for way in self.ways for name, weight in inner.items()}

    def flops(self, shape: Shape) -> int:
        merging = 0 if self.merge_mode == "concat" else elements(self.output_shape(shape))
        return 2 * self.layer.flops(shape) + merging

    def steps(self, shape: Shape) -> int:
        return 2 * self.layer.steps(shape)

    def kept(self, shape: Shape) -> int:
        of_outputs = 2 * elements(self.layer.output_shape(shape))
        return 2 * (self.layer.kept(shape) + of_outputs)

    def output_mask(self, x: Any, mask: Mask | None) -> Mask | None:
        return self._inner().output_mask(x, mask)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, _Cache]:
        # Both directions take their steps together, in half the calls.
        ways = [
            Way(_own(params, way), backwards, pass_.inner(way))
            for way, backwards in zip(self.ways, (False, True), strict=True)
        ]
        (ahead, back), reading = self._inner().read(x, ways, pass_)
        back = _turned(back)
        shape = (*ahead.shape[:-1], self._width(ahead.shape))
        y = pass_.buffer("y", shape, x.dtype)
        self._merge(ahead, back, y)
        return y, _Cache(ahead, back, reading)

    def backward(
        self, params: Params, cache: _Cache, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        dahead, dback = self._merge_back(cache.ahead, cache.back, dy)
        slopes = (dahead, _turned(dback))
        (dx, ahead), (more, back) = self._inner().read_back(cache.reading, slopes, pass_)
        if dx is not None and more is not None:
            dx += more
        gradients = {
            f"{way}.{name}": gradient
            for way, own in zip(self.ways, (ahead, back), strict=True)
            for name, gradient in own.items()
        }
        return dx, gradients

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        outputs, inner = [], self._inner()
        for way, layer in zip(self.ways, (inner, replace(inner, go_backwards=True)), strict=True):
            with graph.part(way):
                outputs.append(layer.to_onnx(_own(params, way), x, graph))
        ahead, back = outputs
        if inner.return_sequences:
            back = graph.reverse(back, 1)
        if self.merge_mode == "concat":
            return graph.node("Concat", ahead, back, axis=-1)
        if self.merge_mode == "mul":
            return graph.node("Mul", ahead, back)
        y = graph.node("Add", ahead, back)
        return graph.node("Mul", y, graph.number(0.5)) if self.merge_mode == "ave" else y

    def onnx_mask(self, x: Value, graph: Graph) -> Value | None:
        return self._inner().onnx_mask(x, graph)

    def _check(self) -> None:
        check_wrapped(self.layer)
        if not isinstance(self.layer, Recurrent):
            raise ArchitectureError(
                "/layer/type",
                f"bidirectional needs a recurrent layer, got {self.layer.type_name}; "
                "use simple_rnn, lstm or gru",
            )
        if self.layer.go_backwards:
            raise ArchitectureError(
                "/layer/go_backwards", "bidirectional reads in both directions; leave it out"
            )

    def _inner(self) -> Recurrent:
        assert isinstance(self.layer, Recurrent)
        # Otherwise the two directions would repeat different steps where there is no data.
        return replace(self.layer, zero_output_for_mask=self.layer.return_sequences)

    def _width(self, inner: Shape) -> int:
        return elements(inner[-1:]) * (2 if self.merge_mode == "concat" else 1)

    def _merge(self, ahead: Array, back: Array, y: Array) -> None:
        if self.merge_mode == "concat":
            np.concatenate([ahead, back], axis=-1, out=y)
        elif self.merge_mode == "mul":
            np.multiply(ahead, back, out=y)
        else:
            np.add(ahead, back, out=y)
            if self.merge_mode == "ave":
                y *= 0.5

    def _merge_back(self, ahead: Array, back: Array, dy: Array) -> tuple[Array, Array]:
        if self.merge_mode == "concat":
            return dy[..., : ahead.shape[-1]], dy[..., ahead.shape[-1] :]
        if self.merge_mode == "mul":
            return dy * back, dy * ahead
        if self.merge_mode == "ave":
            dy *= 0.5
        return dy, dy


def _own(params: Params, way: str) -> Params:
    return {
        name.removeprefix(f"{way}."): weight
        for name, weight in params.items()
        if name.startswith(f"{way}.")
    }


def _turned(sequence: Array) -> Array:
    """The steps of (N, T, U) in reverse; a single output (N, U) as it is."""
    return sequence[:, ::-1] if sequence.ndim == 3 else sequence
