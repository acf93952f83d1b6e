"""Gated recurrent unit.   x (N, T, I), y (N, U) or (N, T, U); gates in the order z, r, h.

z, r = sigmoid(x_t W + h_(t-1) R + b), h_t = z h_(t-1) + (1 - z) h' with the candidate
h' = tanh(x_t W + b + r (h_(t-1) R + b')) if `reset_after`, else tanh(x_t W + b + (r h_(t-1)) R).
W (I, 3 U), R (U, 3 U), b (2, 3 U) with `reset_after`: b and b'; else b (3 U,).
Cho et al., 2014; the reset after the product as in cuDNN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.activations.activation import Activation
from nncore.activations.sigmoid import Sigmoid
from nncore.arrays import Array, Params
from nncore.layers.recurrent import Recurrent
from nncore.onnx.graph import Graph
from nncore.onnx.model import Attribute
from nncore.onnx.unrolling import Operator, activate
from nncore.recurrence import Cell, Given, Gradients, Recall, back_to, in_blocks
from nncore.registry import register
from nncore.squashing import check_squashing, squashing


@register("gru")
@dataclass(frozen=True, slots=True)
class GRU(Recurrent):
    """Gated recurrent unit; with `reset_after` the bias has a second row for the state."""

    recurrent_activation: Activation | None = Sigmoid()
    reset_after: bool = True

    gates: ClassVar[int] = 3
    operations_a_unit: ClassVar[int] = 13
    kept_a_unit: ClassVar[int] = 3

    def check(self) -> None:
        check_squashing(self.recurrent_activation, "recurrent_activation", self.units)

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def input_bias(self, params: Params) -> Array:
        bias = params["bias"]
        if not self.reset_after:
            return bias
        # Of z and r both rows are added to the same sum.
        both: Array = bias[0].copy()
        both[: 2 * self.units] += bias[1, : 2 * self.units]
        return both

    def cell(self, params: Params, given: Given) -> Cell:
        return (_ResetAfter if self.reset_after else _ResetBefore)(self, params, given)

    def operator(self) -> Operator:
        activations = (self.recurrent_activation, self.activation)
        attributes: dict[str, Attribute] = {"linear_before_reset": int(self.reset_after)}
        return Operator("GRU", (0, 1, 2), activations, attributes)

    def biases(self, params: Params) -> tuple[Array, Array]:
        if self.reset_after:
            return params["bias"][0], params["bias"][1]
        return Recurrent.biases(self, params)

    def onnx_step(
        self, params: Params, x: str, states: tuple[str, ...], graph: Graph
    ) -> tuple[str, ...]:
        (h,) = states
        z, r, candidate = graph.split("Split", x, outputs=3, axis=-1, num_outputs=3)
        z, r = (
            activate(
                self.recurrent_activation,
                graph.node("Add", part, self._told(params, gate, h, graph)),
                self.units,
                graph,
            )
            for gate, part in enumerate((z, r))
        )
        if self.reset_after:
            told = graph.node("Mul", r, self._told(params, 2, h, graph))
        else:
            told = self._told(params, 2, graph.node("Mul", r, h), graph)
        g = activate(self.activation, graph.node("Add", candidate, told), self.units, graph)
        return (graph.node("Add", g, graph.node("Mul", z, graph.node("Sub", h, g))),)

    def _told(self, params: Params, gate: int, h: str, graph: Graph) -> str:
        """What a gate hears of the state, with the second row of the bias."""
        part = slice(gate * self.units, (gate + 1) * self.units)
        kernel = params["recurrent_kernel"][:, part]
        told = graph.node("MatMul", h, graph.weight("recurrent_kernel", kernel))
        if not (self.reset_after and self.use_bias):
            return told
        return graph.node("Add", told, graph.weight("recurrent_bias", params["bias"][1, part]))


class _Cell(Cell):
    """The gates r and z and the candidate h'; `acts` ends with their activations."""

    order = (1, 0, 2)

    def __init__(self, layer: GRU, params: Params, given: Given, gates: int) -> None:
        self.gate = squashing(layer.recurrent_activation, "gates", given.pass_)
        self.candidate = squashing(layer.activation, "candidate", given.pass_)
        super().__init__(given, self.gate.mixes or self.candidate.mixes)
        stacked = layer.stacked(params)
        self.kernel = self.weights("weights", stacked, {1: self.gate, 0: self.gate})
        self.projection = self.weights("projection", stacked[1:], {2: self.candidate})
        self.input_row = list(self.rows[..., self.units :])
        self.acts = self.store("activations", gates)
        self.gates = self.parts(self.acts, gates - 3, gates - 1)
        self.r, self.z, self.mixed = (
            self.parts(self.acts, at, at + 1) for at in range(gates - 3, gates)
        )

    def open(self, s: int) -> None:
        """The gates, and the inputs' part of the candidate."""
        gates = self.gates[s]
        np.matmul(self.row[s], self.kernel, out=gates)
        self.gate.forward(gates, gates, s)
        np.matmul(self.input_row[s], self.projection, out=self.mixed[s])

    def mix(self, s: int) -> None:
        """h_t from the update gate and the candidate."""
        mixed, spare = self.mixed[s], self.spare
        self.candidate.forward(mixed, mixed, s)
        np.subtract(self.h[s], mixed, out=spare)
        spare *= self.z[s]
        np.add(spare, mixed, out=self.h[s + 1])

    def prepare_back(self, gates: int, states: int) -> None:
        super().prepare_back(gates, states)
        self.of_sums = self.factors("of sums", gates)
        self.of_state = list(self.of_sums[:, -2:])
        self.dmixing = self.dz_parts(gates - 2, gates)
        self.dmixed = self.dz_parts(gates - 1, gates)
        self.dgates = self.dz_parts(gates - 3, gates - 1)

    def differentiate(self, first: int, end: int) -> None:
        acts = self.split(self.acts, first, end)
        *_, z, mixed = acts
        factors = self.of_sums[: end - first].swapaxes(0, 1)
        self.gate.slope(acts[-3:-1], factors[-3:-1], first)
        self.candidate.slope(mixed, factors[-1], first)
        # Nobody asks for the candidates again: what follows takes their place.
        np.subtract(in_blocks(self.outputs[first:end], self.width), mixed, out=mixed)
        factors[-2] *= mixed
        np.subtract(1, z, out=mixed)
        factors[-1] *= mixed
        self.differentiate_reset(acts, factors)

    def differentiate_reset(self, acts: Array, factors: Array) -> None:
        """Complete the factors of what the reset gate takes part in."""
        raise NotImplementedError

    def mix_back(self, s: int, place: int) -> None:
        """The slopes of z and the candidate, and in `spare` the direct part of dL/dh_(t-1)."""
        (dh,) = self.slopes
        np.multiply(dh, self.of_state[place], out=self.dmixing[s])
        self.candidate.back(self.dmixed[s], s)
        np.multiply(dh, self.z[s], out=self.spare)


class _ResetAfter(_Cell):
    """Before the gates stands what the state gives to the candidate, h R + b'."""

    def __init__(self, layer: GRU, params: Params, given: Given) -> None:
        super().__init__(layer, params, given, 4)
        recurrent = params["recurrent_kernel"]
        bias = params["bias"][1] if layer.use_bias else np.zeros_like(recurrent[0])
        self.recurrent = self.weights("recurrent", (recurrent, bias[None]), {2: self.candidate})
        self.told_row = list(self.rows[..., : self.units + 1])
        self.inner = self.parts(self.acts, 0, 1)

    def step(self, s: int) -> None:
        inner, mixed = self.inner[s], self.mixed[s]
        self.open(s)
        np.matmul(self.told_row[s], self.recurrent, out=inner)
        np.multiply(self.r[s], inner, out=self.spare)
        mixed += self.spare
        self.mix(s)

    def start_back(self, recurrent: Array) -> None:
        self.prepare_back(4, 1)
        self.of_reset, self.dreset = list(self.of_sums[:, :2]), self.dz_parts(0, 2)
        self.dtold = list(self.dz[..., : 3 * self.units])
        self.recall = Recall("recall", self.ordered("of told", recurrent, (2, 1, 0)), self)

    def differentiate_reset(self, acts: Array, factors: Array) -> None:
        inner, r = acts[:2]
        np.copyto(factors[0], r)
        factors[1] *= inner
        if self.candidate.scale != 1:
            factors[1] /= self.candidate.scale

    def step_back(self, s: int, place: int) -> None:
        self.mix_back(s, place)
        # The candidate's slope goes on to the product and to the reset gate.
        np.multiply(self.dmixed[s], self.of_reset[place], out=self.dreset[s])
        self.gate.back(self.dgates[s], s)
        (dh,) = self.slopes
        self.recall_back(self.recall, self.dtold[s], dh)
        dh += self.spare

    def gradients(self) -> Gradients:
        told, units = slice(0, self.units + 1), self.units
        of_told = self.product("of told", told, self.dz[..., : 3 * units])
        of_inputs = self.product("of inputs", slice(units, None), self.dz[..., units:])
        of_told = self.ordered("dtold", of_told, (2, 1, 0))
        of_inputs = self.ordered("dinputs", of_inputs, back_to(self.order))
        # In the order of the weights' rows: the bias of the sums, and that of the product.
        bias = np.stack([of_inputs[0], of_told[units]])
        return Gradients(of_told[:units], bias, of_inputs[1:])


class _ResetBefore(_Cell):
    """What the state gives to the candidate is r h, kept below."""

    def __init__(self, layer: GRU, params: Params, given: Given) -> None:
        super().__init__(layer, params, given, 3)
        recurrent = params["recurrent_kernel"]
        self.recurrent = self.weights("recurrent", (recurrent,), {2: self.candidate})
        self.kept = self.buffer("kept", self.steps, self.examples, self.units)
        self.kept_row, self.kept_part = list(self.kept), list(in_blocks(self.kept, self.width))

    def step(self, s: int) -> None:
        mixed = self.mixed[s]
        self.open(s)
        np.multiply(self.r[s], self.told[s], out=self.kept_part[s])
        np.matmul(self.kept_row[s], self.recurrent, out=self.spare)
        mixed += self.spare
        self.mix(s)

    def start_back(self, recurrent: Array) -> None:
        self.prepare_back(3, 1)
        self.of_r, self.dr = list(self.of_sums[:, 0]), self.dz_parts(0, 1)
        self.dgate_rows = list(self.dz[..., : 2 * self.units])
        self.dmixed_rows = list(self.dz[..., 2 * self.units :])
        split = self.ordered("of told", recurrent, self.order)
        self.recall = Recall("recall", split[:, : 2 * self.units], self)
        self.recall_kept = Recall("recall kept", split[:, 2 * self.units :], self)
        self.dkept = self.state_buffer("dkept")

    def differentiate_reset(self, acts: Array, factors: Array) -> None:
        """That of r lacks h, which is told where it is used."""

    def step_back(self, s: int, place: int) -> None:
        self.mix_back(s, place)
        dkept, dr = self.dkept, self.dr[s]
        self.recall_kept(self.dmixed_rows[s], dkept)
        np.multiply(dkept, self.told[s], out=dr)
        dr *= self.of_r[place]
        dkept *= self.r[s]
        if self.factor is not None:
            dkept *= self.masked
        self.gate.back(self.dgates[s], s)
        (dh,) = self.slopes
        self.recall_back(self.recall, self.dgate_rows[s], dh)
        dh += self.spare
        dh += dkept

    def gradients(self) -> Gradients:
        joint = super().gradients()
        units = self.units
        left = self.kept.reshape(self.steps * self.examples, units)
        slopes = self.dz[..., 2 * units :].reshape(len(left), units, copy=False)
        np.matmul(left.T, slopes, out=joint.recurrent[:, 2 * units :])
        return joint
