"""Long short-term memory.   x (N, T, I), y (N, U) or (N, T, U); gates in the order i, f, c, o.

i, f, o = sigmoid(x_t W + h_(t-1) R + b), g = tanh(likewise), c_t = f c_(t-1) + i g,
h_t = o tanh(c_t).   W (I, 4 U), R (U, 4 U), b (4 U,).
Hochreiter and Schmidhuber, 1997; forget gate: Gers, Schmidhuber and Cummins, 2000; its bias starts
at one: Jozefowicz, Zaremba and Sutskever, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nncore.activations.activation import Activation
from nncore.activations.sigmoid import Sigmoid
from nncore.arrays import Array, Params
from nncore.initializers.initializer import Initializer
from nncore.layers.recurrent import Recurrent
from nncore.onnx.graph import Graph
from nncore.onnx.unrolling import Operator, activate
from nncore.recurrence import Cell, Given
from nncore.registry import register
from nncore.squashing import check_squashing, squashing


@register("lstm")
@dataclass(frozen=True, slots=True)
class LSTM(Recurrent):
    """Long short-term memory."""

    recurrent_activation: Activation | None = Sigmoid()
    unit_forget_bias: bool = True

    # The three sigmoids side by side: i, f, o, g.
    gates: ClassVar[tuple[int, ...]] = (0, 1, 3, 2)
    operations_a_unit: ClassVar[int] = 14
    kept_a_unit: ClassVar[int] = 3

    def check(self) -> None:
        check_squashing(self.recurrent_activation, "recurrent_activation", self.units)

    def bias_start(self) -> Initializer:
        if self.unit_forget_bias:
            return ForgetBiasOne(self.bias_initializer, self.units)
        return self.bias_initializer

    def cell(self, params: Params, *given: *Given) -> Cell:
        return _Cell(self, *given)

    def operator(self) -> Operator:
        activations = (self.recurrent_activation, self.activation, self.activation)
        return Operator("LSTM", (0, 3, 1, 2), activations, {}, states=2)

    def onnx_step(
        self, params: Params, x: str, states: tuple[str, ...], graph: Graph
    ) -> tuple[str, ...]:
        h, c = states
        recurrent = graph.weight("recurrent_kernel", params["recurrent_kernel"])
        z = graph.node("Add", x, graph.node("MatMul", h, recurrent))
        parts = graph.split("Split", z, outputs=4, axis=-1, num_outputs=4)
        i, f, o = (
            activate(self.recurrent_activation, parts[gate], self.units, graph)
            for gate in (0, 1, 3)
        )
        g = activate(self.activation, parts[2], self.units, graph)
        c = graph.node("Add", graph.node("Mul", f, c), graph.node("Mul", i, g))
        return graph.node("Mul", o, activate(self.activation, c, self.units, graph)), c


@dataclass(frozen=True, slots=True)
class ForgetBiasOne(Initializer):
    """Ones for the forget gate, which remembers from the start; the other gates as told."""

    others: Initializer
    units: int

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        bias = self.others.draw(rng, shape, dtype)
        bias[self.units : 2 * self.units] = 1
        return bias


class _Cell(Cell):
    carried = 2

    def __init__(self, layer: LSTM, *given: *Given) -> None:
        super().__init__(*given)
        self.c = self.states[1]
        self.shown = self.buffer("shown", *self.z.shape[1:])
        self.gate = squashing(layer.recurrent_activation, "gates", self.pass_)
        self.candidate = squashing(layer.activation, "candidate", self.pass_)
        self.output = squashing(layer.activation, "output", self.pass_)

    def step(self, s: int) -> None:
        z, c, shown = self.z[:, s], self.c[s + 1], self.shown[s]
        np.matmul(self.recall(s), self.recurrent, out=self.work)
        z += self.work
        self.gate.forward(z[:3], z[:3], s)
        self.candidate.forward(z[3], z[3], s)
        i, f, o, g = z
        np.multiply(f, self.c[s], out=c)
        np.multiply(i, g, out=self.spare)
        c += self.spare
        self.output.forward(c, shown, s)
        np.multiply(o, shown, out=self.h[s + 1])

    def step_back(self, s: int) -> None:
        i, f, o, g = z = self.z[:, s]
        di, df, do, dg = work = self.work
        dh, dc = self.slopes
        dz, shown = self.dz[:, s], self.shown[s]
        np.multiply(dh, shown, out=do)
        dh *= o
        self.output.backward(dh, shown, self.spare, s)
        dc += self.spare
        np.multiply(dc, g, out=di)
        np.multiply(dc, self.c[s], out=df)
        np.multiply(dc, i, out=dg)
        dc *= f
        self.gate.backward(work[:3], z[:3], dz[:3], s)
        self.candidate.backward(dg, g, dz[3], s)
        self.recall_back(dz, dh)
