"""Fully connected recurrence: h_t = tanh(x_t W + h_(t-1) R + b).

x (N, T, I), W (I, U), R (U, U), b (U,), y (N, U) or (N, T, U). Elman, 1990.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import Array, Params
from nncore.layers.recurrent import Recurrent
from nncore.onnx.graph import Graph
from nncore.onnx.unrolling import Operator, activate
from nncore.recall import Recall
from nncore.recurrence import Cell, Given
from nncore.registry import register
from nncore.squashing import squashing


@register("simple_rnn")
@dataclass(frozen=True, slots=True)
class SimpleRNN(Recurrent):
    """Fully connected recurrence: the output is the state."""

    gates: ClassVar[int] = 1
    operations_a_unit: ClassVar[int] = 2
    kept_a_unit: ClassVar[int] = 2

    def cell(self, params: Sequence[Params], given: Given) -> Cell:
        return _Cell(self, params, given)

    def operator(self) -> Operator:
        return Operator("RNN", (0,), (self.activation,), {})

    def onnx_step(
        self, params: Params, x: str, states: tuple[str, ...], graph: Graph
    ) -> tuple[str, ...]:
        recurrent = graph.weight("recurrent_kernel", params["recurrent_kernel"])
        z = graph.node("Add", x, graph.node("MatMul", states[0], recurrent))
        return (activate(self.activation, z, self.units, graph),)


class _Cell(Cell):
    order = (0,)

    def __init__(self, layer: SimpleRNN, params: Sequence[Params], given: Given) -> None:
        self.output = squashing(layer.activation, "output", given.pass_)
        super().__init__(given, self.output.mixes)
        stacked = [layer.stacked(own) for own in params]
        self.kernel = self.weights("weights", stacked, {0: self.output})
        self.row, self.sums = self.lefts(self.rows), self.results(self.states)

    def step(self, s: int) -> None:
        h = self.h[s + 1]
        np.matmul(self.row[s], self.kernel, out=self.sums[s + 1])
        self.output.forward(h, h, s)

    def start_back(self, recurrent: Sequence[Array]) -> None:
        self.prepare_back(1, 1)
        self.slope = self.factors("slope of h", 1)[:, 0]
        self.dsum = self.dz_parts(0, 1)
        self.recall = Recall("recall", recurrent, self.dz, self.slopes[0], self)

    def differentiate(self, first: int, end: int) -> None:
        y = self.states[first + 1 : end + 1]
        self.output.slope(y, self.slope[: end - first], first)

    def step_back(self, s: int, place: int) -> None:
        (dh,) = self.slopes
        np.multiply(dh, self.slope[place], out=self.dsum[s])
        self.output.back(self.dsum[s], s)
        self.recall(s)
        self.told_back(dh)
