"""Fully connected recurrence: h_t = tanh(x_t W + h_(t-1) R + b).

x (N, T, I), W (I, U), R (U, U), b (U,), y (N, U) or (N, T, U). Elman, 1990.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import Params
from nncore.layers.recurrent import Recurrent
from nncore.onnx.graph import Graph
from nncore.onnx.unrolling import Operator, activate
from nncore.recurrence import Cell, Given
from nncore.registry import register
from nncore.squashing import squashing


@register("simple_rnn")
@dataclass(frozen=True, slots=True)
class SimpleRNN(Recurrent):
    """Fully connected recurrence: the output is the state."""

    gates: ClassVar[tuple[int, ...]] = (0,)
    operations_a_unit: ClassVar[int] = 2
    kept_a_unit: ClassVar[int] = 1

    def cell(self, params: Params, *given: *Given) -> Cell:
        return _Cell(self, *given)

    def operator(self) -> Operator:
        return Operator("RNN", (0,), (self.activation,), {})

    def onnx_step(
        self, params: Params, x: str, states: tuple[str, ...], graph: Graph
    ) -> tuple[str, ...]:
        recurrent = graph.weight("recurrent_kernel", params["recurrent_kernel"])
        z = graph.node("Add", x, graph.node("MatMul", states[0], recurrent))
        return (activate(self.activation, z, self.units, graph),)


class _Cell(Cell):
    def __init__(self, layer: SimpleRNN, *given: *Given) -> None:
        super().__init__(*given)
        self.output = squashing(layer.activation, "output", self.pass_)

    def step(self, s: int) -> None:
        z, product = self.z[0, s], self.work[0]
        np.matmul(self.recall(s), self.recurrent[0], out=product)
        z += product
        self.output.forward(z, self.h[s + 1], s)

    def step_back(self, s: int) -> None:
        (dh,) = self.slopes
        self.output.backward(dh, self.h[s + 1], self.dz[0, s], s)
        self.recall_back(self.dz[:, s], dh)
