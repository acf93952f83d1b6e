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
from nncore.recurrence import Cell, Given, product_over_steps
from nncore.reductions import sum_rows
from nncore.registry import register
from nncore.squashing import check_squashing, squashing


@register("gru")
@dataclass(frozen=True, slots=True)
class GRU(Recurrent):
    """Gated recurrent unit; with `reset_after` the bias has a second row for the state."""

    recurrent_activation: Activation | None = Sigmoid()
    reset_after: bool = True

    gates: ClassVar[tuple[int, ...]] = (0, 1, 2)
    operations_a_unit: ClassVar[int] = 13
    kept_a_unit: ClassVar[int] = 3

    def check(self) -> None:
        check_squashing(self.recurrent_activation, "recurrent_activation", self.units)

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def input_bias(self, bias: Array) -> Array:
        if not self.reset_after:
            return bias
        # Of z and r both rows are added to the same sum.
        both: Array = bias[0].copy()
        both[: 2 * self.units] += bias[1, : 2 * self.units]
        return both

    def bias_gradient(self, slope: Array, cell: Cell) -> Array:
        if not isinstance(cell, _ResetAfter):
            return slope
        rows = np.stack([slope, slope])
        rows[1, 2 * self.units :] = sum_rows(cell.dinner.reshape(-1, self.units))
        return rows

    def cell(self, params: Params, *given: *Given) -> Cell:
        if not self.reset_after:
            return _ResetBefore(self, *given)
        bias = params["bias"][1, 2 * self.units :] if self.use_bias else None
        return _ResetAfter(self, bias, *given)

    def operator(self) -> Operator:
        activations = (self.recurrent_activation, self.activation)
        attributes: dict[str, Attribute] = {"linear_before_reset": int(self.reset_after)}
        return Operator("GRU", self.gates, activations, attributes)

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
    def __init__(self, layer: GRU, *given: *Given) -> None:
        super().__init__(*given)
        self.gate = squashing(layer.recurrent_activation, "gates", self.pass_)
        self.candidate = squashing(layer.activation, "candidate", self.pass_)

    def mix(self, s: int) -> None:
        """h_t from the update gate and the candidate."""
        update, _, candidate = self.z[:, s]
        h = self.h[s + 1]
        np.subtract(self.h[s], candidate, out=h)
        h *= update
        h += candidate

    def mix_back(self, s: int) -> None:
        """dL/dupdate in `work`, dz of the candidate, the direct part of dL/dh_(t-1) in `spare`."""
        (dh,) = self.slopes
        update, _, candidate = self.z[:, s]
        dupdate, _, dcandidate = self.work
        np.subtract(self.h[s], candidate, out=dupdate)
        dupdate *= dh
        np.multiply(dh, update, out=self.spare)
        np.subtract(dh, self.spare, out=dcandidate)
        self.candidate.backward(dcandidate, candidate, self.dz[2, s], s)


class _ResetAfter(_Cell):
    def __init__(self, layer: GRU, bias: Array | None, *given: *Given) -> None:
        super().__init__(layer, *given)
        self.bias = bias
        self.inner = self.buffer("inner", *self.z.shape[1:])
        self.dinner = self.inner

    def step(self, s: int) -> None:
        z, work, inner = self.z[:, s], self.work, self.inner[s]
        np.matmul(self.recall(s), self.recurrent, out=work)
        gates = z[:2]
        gates += work[:2]
        self.gate.forward(gates, gates, s)
        np.copyto(inner, work[2])
        if self.bias is not None:
            inner += self.bias
        np.multiply(z[1], inner, out=self.spare)
        candidate = z[2]
        candidate += self.spare
        self.candidate.forward(candidate, candidate, s)
        self.mix(s)

    def prepare_back(self) -> None:
        super().prepare_back()
        self.dinner = self.buffer("dinner", *self.inner.shape)

    def step_back(self, s: int) -> None:
        z, dz, work = self.z[:, s], self.dz[:, s], self.work
        self.mix_back(s)
        np.multiply(dz[2], self.inner[s], out=work[1])
        self.gate.backward(work[:2], z[:2], dz[:2], s)
        # What the state's product is told: as dz, but the candidate's part through the reset gate.
        np.multiply(dz[2], z[1], out=work[2])
        np.copyto(work[:2], dz[:2])
        np.copyto(self.dinner[s], work[2])
        (dh,) = self.slopes
        self.recall_back(work, dh)
        dh += self.spare

    def gradients(self) -> Array:
        found = product_over_steps(self.memories(), self.dz, "drecurrent", self.pass_)
        np.matmul(self.memories().T, self.dinner.reshape(-1, found.shape[-1]), out=found[2])
        return found


class _ResetBefore(_Cell):
    def __init__(self, layer: GRU, *given: *Given) -> None:
        super().__init__(layer, *given)
        self.kept = self.buffer("kept", *self.z.shape[1:])

    def step(self, s: int) -> None:
        z, work, recalled = self.z[:, s], self.work, self.recall(s)
        np.matmul(recalled, self.recurrent[:2], out=work[:2])
        gates = z[:2]
        gates += work[:2]
        self.gate.forward(gates, gates, s)
        np.multiply(z[1], recalled, out=self.kept[s])
        np.matmul(self.kept[s], self.recurrent[2], out=work[2])
        candidate = z[2]
        candidate += work[2]
        self.candidate.forward(candidate, candidate, s)
        self.mix(s)

    def step_back(self, s: int) -> None:
        z, dz, work = self.z[:, s], self.dz[:, s], self.work
        self.mix_back(s)
        dkept = work[2]
        np.matmul(dz[2], self.transposed[2], out=dkept)
        np.multiply(dkept, self.recalled[s], out=work[1])
        dkept *= z[1]
        if self.factor is not None:
            dkept *= self.factor
        self.gate.backward(work[:2], z[:2], dz[:2], s)
        (dh,) = self.slopes
        self.recall_back(dz[:2], dh)
        dh += self.spare
        dh += dkept

    def gradients(self) -> Array:
        found = product_over_steps(self.memories(), self.dz, "drecurrent", self.pass_)
        units = found.shape[-1]
        np.matmul(self.kept.reshape(-1, units).T, self.dz[2].reshape(-1, units), out=found[2])
        return found
