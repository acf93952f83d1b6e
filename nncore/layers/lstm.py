"""Long short-term memory.   x (N, T, I), y (N, U) or (N, T, U); gates in the order i, f, c, o.

i, f, o = sigmoid(x_t W + h_(t-1) R + b), g = tanh(likewise), c_t = f c_(t-1) + i g,
h_t = o tanh(c_t).   W (I, 4 U), R (U, 4 U), b (4 U,).
Hochreiter and Schmidhuber, 1997; forget gate: Gers, Schmidhuber and Cummins, 2000; its bias starts
at one: Jozefowicz, Zaremba and Sutskever, 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from nncore.recall import Recall
from nncore.recurrence import Cell, Given
from nncore.registry import register
from nncore.squashing import check_squashing, squash, squashing


@register("lstm")
@dataclass(frozen=True, slots=True)
class LSTM(Recurrent):
    """Long short-term memory."""

    recurrent_activation: Activation | None = Sigmoid()
    unit_forget_bias: bool = True

    gates: ClassVar[int] = 4
    operations_a_unit: ClassVar[int] = 14
    kept_a_unit: ClassVar[int] = 3

    def check(self) -> None:
        check_squashing(self.recurrent_activation, "recurrent_activation", self.units)

    def bias_start(self) -> Initializer:
        if self.unit_forget_bias:
            return ForgetBiasOne(self.bias_initializer, self.units)
        return self.bias_initializer

    def cell(self, params: Sequence[Params], given: Given) -> Cell:
        return _Cell(self, params, given)

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
    # The sigmoids side by side, and (i, f) beside what they are multiplied with, (g, c).
    order = (3, 0, 1, 2)

    def __init__(self, layer: LSTM, params: Sequence[Params], given: Given) -> None:
        self.gate = squashing(layer.recurrent_activation, "gates", given.pass_)
        self.candidate = squashing(layer.activation, "candidate", given.pass_)
        self.output = squashing(layer.activation, "output", given.pass_)
        super().__init__(given, self.gate.mixes or self.candidate.mixes)
        gates = {3: self.gate, 0: self.gate, 1: self.gate, 2: self.candidate}
        self.kernel = self.weights("weights", [layer.stacked(own) for own in params], gates)
        # o, i, f, g, the state before the step, and the activation of the one after it.
        self.acts = self.store("activations", 6)
        self.z, self.fade = self.parts(self.acts, slice(4)), self.parts(self.acts, slice(1, 3))
        self.faded = self.parts(self.acts, slice(3, 5))
        self.o, self.f, self.c, self.shown = (self.parts(self.acts, at) for at in (0, 2, 4, 5))
        self.c[0].fill(0)
        self.carried = (self.h, self.c)
        self.terms = self.state_buffer("terms", 2)
        self.row, self.sums = self.lefts(self.rows), self.results(self.acts[:, :4])

    def step(self, s: int) -> None:
        z, c, shown = self.z[s], self.c[s + 1], self.shown[s]
        np.matmul(self.row[s], self.kernel, out=self.sums[s])
        squash(self.gate, self.candidate, z, 3, s)
        np.multiply(self.fade[s], self.faded[s], out=self.terms)
        np.add(self.terms[0], self.terms[1], out=c)
        if self.output.scale != 1:
            c = np.multiply(c, self.output.scale, out=shown)
        self.output.forward(c, shown, s)
        np.multiply(self.o[s], shown, out=self.h[s + 1])

    def start_back(self, recurrent: Sequence[Array]) -> None:
        self.prepare_back(4, 2)
        self.of_gates = self.factors("of gates", 4)
        self.of_state = self.factors("of state", 1)[:, 0]
        self.of_o, self.of_rest = list(self.of_gates[:, 0]), list(self.of_gates[:, 1:])
        self.do, self.drest = self.dz_parts(0, 1), self.dz_parts(1, 4)
        self.dgates, self.dg = self.dz_parts(0, 3), self.dz_parts(3, 4)
        ordered = self.all_ordered("recurrent", recurrent, self.order)
        self.recall = Recall("recall", ordered, self.dz, self.slopes[0], self)

    def differentiate(self, first: int, end: int) -> None:
        acts = self.acts[first:end].swapaxes(0, 1)
        o, i, _, g, _, shown = acts
        of_gates = self.of_gates[: end - first].swapaxes(0, 1)
        of_state = self.of_state[: end - first]
        self.gate.slope(acts[:3], of_gates[:3], first)
        of_gates[0] *= shown
        of_gates[1:3] *= acts[3:5]
        self.candidate.slope(g, of_gates[3], first)
        of_gates[3] *= i
        self.output.slope(shown, of_state, first)
        of_state *= o

    def step_back(self, s: int, place: int) -> None:
        dh, dc = self.slopes
        np.multiply(dh, self.of_state[place], out=self.spare)
        self.output.back(self.spare, s)
        dc += self.spare
        np.multiply(dh, self.of_o[place], out=self.do[s])
        np.multiply(dc, self.of_rest[place], out=self.drest[s])
        self.gate.back(self.dgates[s], s)
        self.candidate.back(self.dg[s], s)
        dc *= self.f[s]
        self.recall(s)
        self.told_back(dh)
