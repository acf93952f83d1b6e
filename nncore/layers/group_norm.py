"""Group normalization: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, group by group.

Mean and variance are those of an example's channels of one group at all positions that hold data;
gamma and beta (C,) belong to the channels. x, y (N, ..., C). Wu and He, 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from nncore.arrays import Array, Params
from nncore.documents.limits import Range
from nncore.errors import ArchitectureError
from nncore.initializers.constant import Ones, Zeros
from nncore.initializers.initializer import Initializer
from nncore.layers.layer import Layer
from nncore.normalization import Normalized, feature_axis, normalize_rows, normalize_rows_back
from nncore.onnx.graph import Graph, Value
from nncore.operation import Weight
from nncore.passes import Mask, Pass
from nncore.reductions import sum_rows
from nncore.registry import register
from nncore.regularizers.regularizer import Regularizer
from nncore.shapes import Shape, elements, written


@register("group_norm")
@dataclass(frozen=True, slots=True)
class GroupNorm(Layer):
    """Normalizes each group of channels; with -1 groups each channel by itself."""

    groups: Annotated[int, Range(min=-1)] = 32
    epsilon: Annotated[float, Range(min=0)] = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Initializer = Zeros()
    gamma_initializer: Initializer = Ones()
    beta_regularizer: Regularizer | None = None
    gamma_regularizer: Regularizer | None = None

    def output_shape(self, shape: Shape) -> Shape:
        channels = shape[feature_axis(-1, shape, "group_norm")] or 0
        if self.groups == 0 or channels % self._groups(channels):
            raise ArchitectureError(
                "/groups", f"{self.groups} does not divide the input's channels {channels}"
            )
        return shape

    def weights(self, shape: Shape) -> dict[str, Weight]:
        channels = (elements(shape[-1:]),)
        weights = {}
        if self.scale:
            weights["gamma"] = Weight(
                channels, self.gamma_initializer, regularizer=self.gamma_regularizer
            )
        if self.center:
            weights["beta"] = Weight(
                channels, self.beta_initializer, regularizer=self.beta_regularizer
            )
        return weights

    def flops(self, shape: Shape) -> int:
        return 8 * elements(shape)

    def kept(self, shape: Shape) -> int:
        return 4 * elements(shape)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Normalized]:
        weights = self._weights(x, pass_.mask)
        normalized = normalize_rows(self._rows(x, pass_), self.epsilon, pass_, weights)
        y = pass_.buffer("y", x.shape, x.dtype)
        self._put_back(normalized.rows, y)
        if self.scale:
            y *= params["gamma"]
        if self.center:
            y += params["beta"]
        return y, normalized

    def backward(
        self, params: Params, cache: Normalized, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        dx = pass_.buffer("dx", dy.shape, dy.dtype)
        vectors = (dy.size // dy.shape[-1], dy.shape[-1])
        gradients = {}
        if self.center:
            gradients["beta"] = sum_rows(dy.reshape(vectors))
        if self.scale:
            self._put_back(cache.rows, dx)
            dx *= dy
            gradients["gamma"] = sum_rows(dx.reshape(vectors))
            dy *= params["gamma"]
        self._put_back(normalize_rows_back(cache, self._rows(dy, pass_)), dx)
        return dx, gradients

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        channels = elements(x.shape[-1:])
        groups = self._groups(channels)
        parts = graph.reshape(x.name, 0, -1, groups, channels // groups)
        data = None if x.mask is None else _in_onnx(x, graph)
        centred = graph.node("Sub", parts, _mean(parts, data, channels // groups, graph))
        squares = graph.node("Mul", centred, centred)
        variance = _mean(squares, data, channels // groups, graph)
        deviation = graph.node("Sqrt", graph.node("Add", variance, graph.number(self.epsilon)))
        y = graph.shaped(graph.node("Div", centred, deviation), 0, x.shape, x.name, 1)
        if self.scale:
            y = graph.node("Mul", y, graph.weight("gamma", params["gamma"]))
        return graph.node("Add", y, graph.weight("beta", params["beta"])) if self.center else y

    def _groups(self, channels: int) -> int:
        return channels if self.groups == -1 else self.groups

    def _rows(self, x: Array, pass_: Pass) -> Array:
        """The values of x (N, ..., C) by example and group (N groups, positions C / groups)."""
        parts = self._by_group(x)
        n, positions, groups, each = parts.shape
        rows = pass_.buffer("rows", (n, groups, positions, each), x.dtype)
        np.copyto(rows, parts.swapaxes(1, 2))
        return rows.reshape(n * groups, positions * each)

    def _weights(self, x: Array, mask: Mask | None) -> Array | None:
        """1 for each value of `_rows` that counts, 0 for padding."""
        if mask is None or x.ndim < 3:
            return None
        parts = self._by_group(x)
        rest = parts.shape[1] // max(mask.shape[1], 1)
        spread = np.repeat(mask, rest, axis=1)[:, None, :, None].astype(x.dtype)
        n, positions, groups, each = parts.shape
        shape = (n, groups, positions, each)
        return np.broadcast_to(spread, shape).reshape(n * groups, positions * each)

    def _put_back(self, rows: Array, x: Array) -> None:
        """The inverse of `_rows`, into a contiguous x."""
        parts = self._by_group(x)
        n, positions, groups, each = parts.shape
        np.copyto(parts.swapaxes(1, 2), rows.reshape(n, groups, positions, each))

    def _by_group(self, x: Array) -> Array:
        groups = self._groups(x.shape[-1])
        return x.reshape(len(x), elements(x.shape[1:-1]), groups, x.shape[-1] // groups)


def _in_onnx(x: Value, graph: Graph) -> str:
    """The mask of x as factors of its positions, (N, positions, 1, 1)."""
    assert x.mask is not None
    if None in x.shape[1:-1]:
        raise ArchitectureError(
            "",
            f"group_norm of padded {written(x.shape)} has no form in ONNX; fix all but the steps",
        )
    rest = elements(x.shape[1:-1])
    steps = graph.unsqueeze(graph.real(x.mask.name), 2)
    every = graph.node("Expand", steps, graph.integers(1, 1, rest))
    return graph.reshape(every, 0, -1, 1, 1)


def _mean(parts: str, data: str | None, each: int, graph: Graph) -> str:
    """The mean of parts (N, positions, groups, each) over positions with data and channels."""
    if data is None:
        return graph.reduce("ReduceMean", parts, 1, 3)
    total = graph.reduce("ReduceSum", graph.node("Mul", parts, data), 1, 3)
    steps = graph.node("Mul", graph.reduce("ReduceSum", data, 1), graph.number(each))
    return graph.node("Div", total, graph.node("Max", steps, graph.number(1)))
