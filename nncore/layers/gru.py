"""Gated recurrent unit.   x (N, T, I), y (N, U) or (N, T, U); gates in the order z, r, h.

z, r = sigmoid(x_t W + h_(t-1) R + b), h_t = z h_(t-1) + (1 - z) h' with the candidate
h' = tanh(x_t W + b + r (h_(t-1) R + b')) if `reset_after`, else tanh(x_t W + b + (r h_(t-1)) R).
W (I, 3 U), R (U, 3 U), b (2, 3 U) with `reset_after`: b and b'; else b (3 U,).
Cho et al., 2014; the reset after the product as in cuDNN.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from nncore.recall import Recall
from nncore.recurrence import Cell, Given, Gradients, back_to
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

    def stacked_told(self, params: Params) -> tuple[Array, ...]:
        """`stacked`, but for the candidate what its product with the state is made of alone."""
        recurrent, bias, kernel = (matrix.copy() for matrix in self.stacked(params))
        candidate = slice(2 * self.units, None)
        kernel[:, candidate] = 0
        bias[:, candidate] = params["bias"][1, candidate] if self.use_bias else 0
        return recurrent, bias, kernel

    def cell(self, params: Sequence[Params], given: Given) -> Cell:
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

    def __init__(self, layer: GRU, params: Sequence[Params], given: Given, gates: int) -> None:
        self.gate = squashing(layer.recurrent_activation, "gates", given.pass_)
        self.candidate = squashing(layer.activation, "candidate", given.pass_)
        super().__init__(given, self.gate.mixes or self.candidate.mixes)
        self.acts = self.store("activations", gates)
        self.gates = self.parts(self.acts, slice(gates - 3, gates - 1))
        self.r, self.z, self.mixed = (self.parts(self.acts, at) for at in range(gates - 3, gates))
        self.row = self.lefts(self.rows)
        # What the inputs give to the candidate, one product for a chunk of steps.
        stacked = [layer.stacked(own)[1:] for own in params]
        self.kernel_of_mixed = self.weights("projection", stacked, {2: self.candidate})
        self.projected = self.state_buffer("projected", self.chunk)
        self.projected_sums = self.as_results(self.projected)
        self.input_rows = self.as_lefts(self.rows[..., self.units :])

    def project(self, s: int) -> Array:
        """What the inputs give to the candidate at step s."""
        place = s % self.chunk
        if place == 0:
            end = min(s + self.chunk, self.steps)
            out = self.projected_sums[: end - s]
            np.matmul(self.input_rows[s:end], self.kernel_of_mixed, out=out)
        projected: Array = self.projected[place]
        return projected

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
        acts = self.acts[first:end].swapaxes(0, 1)
        *_, z, mixed = acts
        factors = self.of_sums[: end - first].swapaxes(0, 1)
        self.gate.slope(acts[-3:-1], factors[-3:-1], first)
        self.candidate.slope(mixed, factors[-1], first)
        # Nobody asks for the candidates again: what follows takes their place.
        np.subtract(self.states[first:end], mixed, out=mixed)
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

    def __init__(self, layer: GRU, params: Sequence[Params], given: Given) -> None:
        super().__init__(layer, params, given, 4)
        gates = {2: self.candidate, 1: self.gate, 0: self.gate}
        stacked = [layer.stacked_told(own) for own in params]
        self.kernel = self.weights("weights", stacked, gates)
        self.inner, self.sums = self.parts(self.acts, 0), self.results(self.acts[:, :3])

    def step(self, s: int) -> None:
        gates, mixed = self.gates[s], self.mixed[s]
        np.matmul(self.row[s], self.kernel, out=self.sums[s])
        self.gate.forward(gates, gates, s)
        np.multiply(self.r[s], self.inner[s], out=self.spare)
        np.add(self.project(s), self.spare, out=mixed)
        self.mix(s)

    def start_back(self, recurrent: Sequence[Array]) -> None:
        self.prepare_back(4, 1)
        self.of_reset, self.dreset = list(self.of_sums[:, :2]), self.dz_parts(0, 2)
        ordered = self.all_ordered("of told", recurrent, (2, 1, 0))
        self.recall = Recall("recall", ordered, self.dz_of(0, 3), self.slopes[0], self)

    def differentiate_reset(self, acts: Array, factors: Array) -> None:
        inner, r = acts[:2]
        np.copyto(factors[0], r)
        factors[1] *= inner
        if self.candidate.scale != 1:
            factors[1] /= self.candidate.scale

    def step_back(self, s: int, place: int) -> None:
        (dh,) = self.slopes
        self.mix_back(s, place)
        # The candidate's slope goes on to the product and to the reset gate.
        np.multiply(self.dmixed[s], self.of_reset[place], out=self.dreset[s])
        self.gate.back(self.dgates[s], s)
        self.recall(s)
        self.told_back(dh)
        dh += self.spare

    def gradients(self, group: int) -> Gradients:
        units = self.units
        of_told = self.product("of told", group, slice(units + 1), self.dz_of(0, 3))
        of_inputs = self.product("of inputs", group, slice(units, None), self.dz_of(1, 4))
        of_told = self.ordered(f"dtold {group}", of_told, (2, 1, 0))
        of_inputs = self.ordered(f"dinputs {group}", of_inputs, back_to(self.order))
        # In the order of the weights' rows: the bias of the sums, and that of the product.
        bias = np.stack([of_inputs[0], of_told[units]])
        return Gradients(of_told[:units], bias, of_inputs[1:])


class _ResetBefore(_Cell):
    """What the state gives to the candidate is r h, kept below."""

    def __init__(self, layer: GRU, params: Sequence[Params], given: Given) -> None:
        super().__init__(layer, params, given, 3)
        stacked = [layer.stacked(own) for own in params]
        self.kernel = self.weights("weights", stacked, {1: self.gate, 0: self.gate})
        told = [own[:1] for own in stacked]
        self.recurrent = self.weights("recurrent", told, {2: self.candidate})
        self.kept = self.buffer("kept", self.groups, self.steps, self.examples, self.units)
        self.kept_row, self.kept_states = self.lefts(self.kept), list(self.in_states(self.kept))
        self.sums = self.results(self.acts[:, :2])
        self.mixed_sums = self.results(self.acts[:, 2])

    def step(self, s: int) -> None:
        gates, mixed = self.gates[s], self.mixed[s]
        np.matmul(self.row[s], self.kernel, out=self.sums[s])
        self.gate.forward(gates, gates, s)
        np.multiply(self.r[s], self.told[s], out=self.kept_states[s])
        np.matmul(self.kept_row[s], self.recurrent, out=self.mixed_sums[s])
        mixed += self.project(s)
        self.mix(s)

    def start_back(self, recurrent: Sequence[Array]) -> None:
        self.prepare_back(3, 1)
        self.of_r, self.dr = list(self.of_sums[:, 0]), self.dz_parts(0, 1)
        self.dkept, units = self.state_buffer("dkept"), self.units
        ordered = self.all_ordered("of told", recurrent, self.order)
        gates, kept = (
            [own[:, : 2 * units] for own in ordered],
            [own[:, 2 * units :] for own in ordered],
        )
        self.recall = Recall("recall", gates, self.dz_of(0, 2), self.slopes[0], self)
        self.recall_kept = Recall("recall kept", kept, self.dz_of(2, 3), self.dkept, self)

    def differentiate_reset(self, acts: Array, factors: Array) -> None:
        """That of r lacks h, which is told where it is used."""

    def step_back(self, s: int, place: int) -> None:
        (dh,) = self.slopes
        dkept, dr = self.dkept, self.dr[s]
        self.mix_back(s, place)
        self.recall_kept(s)
        np.multiply(dkept, self.told[s], out=dr)
        dr *= self.of_r[place]
        dkept *= self.r[s]
        self.told_back(dkept)
        self.gate.back(self.dgates[s], s)
        self.recall(s)
        self.told_back(dh)
        dh += self.spare
        dh += dkept

    def gradients(self, group: int) -> Gradients:
        joint, units = super().gradients(group), self.units
        left = self.kept[group].reshape(self.steps * self.examples, units)
        slopes = self.dz_of(2, 3)[group].reshape(left.shape, copy=False)
        np.matmul(left.T, slopes, out=joint.recurrent[:, 2 * units :])
        return joint
