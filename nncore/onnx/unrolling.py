"""Recurrent layers in ONNX: its own LSTM, GRU and RNN, or a Scan over the steps.

The operators know few activations; with others, each step is written out in the body of a Scan.
Masks may have holes and padding on either side, whereas sequence lengths speak of the right side
only: the steps that hold data are brought together at the beginning, and each output is fetched
from after as many of them as its step has behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nncore.activations.activation import Activation
from nncore.activations.relu import Relu
from nncore.activations.sigmoid import Sigmoid
from nncore.activations.softplus import Softplus
from nncore.activations.softsign import Softsign
from nncore.activations.tanh import Tanh
from nncore.arrays import Array, Params
from nncore.onnx.graph import Graph, Value
from nncore.onnx.model import Attribute

_NAMES: dict[Activation, str] = {
    Relu(): "Relu",
    Sigmoid(): "Sigmoid",
    Softplus(): "Softplus",
    Softsign(): "Softsign",
    Tanh(): "Tanh",
}


@dataclass(frozen=True, slots=True)
class Operator:
    """ONNX's operator for a layer: `gates` says which gate of the weights stands where there.

    `states`: how many the layer carries on, the output among them.
    """

    name: str
    gates: tuple[int, ...]
    activations: tuple[Activation | None, ...]
    attributes: dict[str, Attribute]
    states: int = 1

    @property
    def known(self) -> bool:
        """Whether it knows the activations."""
        return all(activation in _NAMES for activation in self.activations)


class Unrolled(Protocol):
    """What a recurrent layer says of itself to be exported."""

    @property
    def units(self) -> int:
        """The size of its output."""

    @property
    def return_sequences(self) -> bool:
        """Whether it gives the outputs of all steps."""

    @property
    def go_backwards(self) -> bool:
        """Whether it begins at the last step."""

    @property
    def zero_output_for_mask(self) -> bool:
        """Whether outputs at padding are zero."""

    def operator(self) -> Operator:
        """Its operator."""

    def biases(self, params: Params) -> tuple[Array, Array]:
        """What is added to the projected inputs and to the projected state, (G U,) each."""

    def onnx_step(
        self, params: Params, x: str, states: tuple[str, ...], graph: Graph
    ) -> tuple[str, ...]:
        """The states after a step, from those before it and x W + b (N, G U)."""


@dataclass(frozen=True, slots=True)
class _Packing:
    """Where data is, (N, T): how many steps of it are `reached`, (N, T), and there are, (N,)."""

    data: str
    reached: str
    count: str


def write_recurrent(layer: Unrolled, params: Params, x: Value, graph: Graph) -> str:
    """The outputs (N, T, U), or the last one (N, U), of a recurrent layer."""
    steps, packing = x.name, None
    if layer.go_backwards:
        steps = graph.reverse(steps, 1)
    if x.mask is not None:
        data = graph.reverse(x.mask.name, 1) if layer.go_backwards else x.mask.name
        steps, packing = _packed(steps, data, graph)
    write = _operator if layer.operator().known else _scan
    y, last = write(layer, params, steps, packing, graph)
    if not layer.return_sequences:
        return last
    return y if packing is None else _unpacked(y, packing, layer.zero_output_for_mask, graph)


def activate(activation: Activation | None, x: str, units: int, graph: Graph) -> str:
    """An activation within a step."""
    return x if activation is None else activation.to_onnx({}, Value(x, (units,)), graph)


def _packed(steps: str, data: str, graph: Graph) -> tuple[str, _Packing]:
    """The steps (N, T, I) with those first that hold data, in order."""
    ones = graph.cast(data, np.dtype(np.int64))
    length = graph.sizes(data, 1)
    scalar = graph.squeeze(length, 0)
    zero, one = (graph.squeeze(graph.integers(number), 0) for number in (0, 1))
    places = graph.node("Range", zero, scalar, one)
    keys = graph.node("Sub", graph.node("Mul", ones, length), places)
    _, order = graph.split("TopK", keys, length, outputs=2, axis=1)
    reached = graph.node("CumSum", ones, graph.integers(1))
    count = graph.reduce("ReduceSum", ones, 1, keepdims=False)
    return _fetched(steps, order, graph), _Packing(data, reached, count)


def _fetched(y: str, places: str, graph: Graph) -> str:
    """Of y (N, T, U) the steps at places (N, ...)."""
    return graph.node("GatherND", y, graph.unsqueeze(places, -1), batch_dims=1)


def _fetched_after(y: str, numbers: str, graph: Graph) -> str:
    """What y (N, T, U) is after so many (N, ...) steps; zero after none."""
    zero = graph.integers(0)
    places = graph.node("Max", graph.node("Sub", numbers, graph.integers(1)), zero)
    some = graph.unsqueeze(graph.node("Greater", numbers, zero), -1)
    return graph.node("Where", some, _fetched(y, places, graph), graph.number(0))


def _unpacked(y: str, packing: _Packing, zero_padding: bool, graph: Graph) -> str:
    """The outputs (N, T, U) of packed steps at the places of all steps."""
    y = _fetched_after(y, packing.reached, graph)
    if not zero_padding:
        return y
    return graph.node("Where", graph.unsqueeze(packing.data, -1), y, graph.number(0))


def _operator(
    layer: Unrolled, params: Params, steps: str, packing: _Packing | None, graph: Graph
) -> tuple[str, str]:
    """All outputs (N, T, U) and the last one (N, U), by the layer's operator."""
    operator = layer.operator()
    kernel, recurrent = params["kernel"], params["recurrent_kernel"]
    inputs = [
        graph.turn(steps, 1, 0, 2),
        graph.weight("kernel", _gates(kernel, operator.gates)),
        graph.weight("recurrent_kernel", _gates(recurrent, operator.gates)),
    ]
    if "bias" in params or packing is not None:
        inputs.append("")
    if "bias" in params:
        both = [_gates(bias, operator.gates) for bias in layer.biases(params)]
        inputs[3] = graph.weight("bias", np.concatenate(both, axis=1))
    if packing is not None:
        inputs.append(graph.cast(packing.count, np.dtype(np.int32)))
    names = [_NAMES[activation] for activation in operator.activations if activation is not None]
    y, last = graph.split(
        operator.name,
        *inputs,
        outputs=2,
        hidden_size=layer.units,
        activations=names,
        **operator.attributes,
    )
    return graph.turn(graph.squeeze(y, 1), 1, 0, 2), graph.squeeze(last, 0)


def _gates(weight: Array, order: Sequence[int]) -> Array:
    """A weight (..., G U) as (1, G U, ...), the gates in ONNX's order."""
    blocks = weight.reshape(*weight.shape[:-1], len(order), -1)[..., list(order), :]
    return blocks.reshape(weight.shape).T[None]


def _scan(
    layer: Unrolled, params: Params, steps: str, packing: _Packing | None, graph: Graph
) -> tuple[str, str]:
    """All outputs (N, T, U) and the last one (N, U), step by step."""
    z = graph.node("MatMul", steps, graph.weight("kernel", params["kernel"]))
    if "bias" in params:
        z = graph.node("Add", z, graph.weight("input_bias", layer.biases(params)[0]))
    batch = graph.node("Concat", graph.sizes(z, 0, 1), graph.integers(layer.units), axis=0)
    states = layer.operator().states
    start = graph.node("Expand", graph.number(0), batch)
    body = graph.body()
    before, x = tuple(body.fresh("state") for _ in range(states)), body.fresh("step")
    after = layer.onnx_step(params, x, before, body)
    ends = [body.node("Identity", state) for state in (*after, after[0])]
    *_, y = graph.split(
        "Scan",
        *(start,) * states,
        graph.turn(z, 1, 0, 2),
        outputs=states + 1,
        body=body.as_body([*before, x], ends),
        num_scan_inputs=1,
    )
    whole = graph.turn(y, 1, 0, 2)
    if packing is not None:
        return whole, _fetched_after(whole, packing.count, graph)
    return whole, graph.node("Gather", y, graph.squeeze(graph.integers(-1), 0), axis=0)
