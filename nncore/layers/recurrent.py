"""What simple_rnn, lstm and gru have in common: fields, weights, inputs, outputs, gradients.

At a step without data an example keeps its state and repeats its output, so that padding on either
side changes no output and no gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np

from nncore.activations.activation import Activation
from nncore.activations.tanh import Tanh
from nncore.arrays import Array, Params
from nncore.documents.limits import Range
from nncore.errors import ArchitectureError
from nncore.initializers.constant import Zeros
from nncore.initializers.glorot import GlorotUniform
from nncore.initializers.initializer import Initializer
from nncore.initializers.orthogonal import Orthogonal
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.onnx.unrolling import Operator, write_recurrent
from nncore.operation import Weight
from nncore.passes import Mask, Pass
from nncore.recurrence import Cell, Given, unroll, unroll_back
from nncore.regularizers.regularizer import Regularizer
from nncore.shapes import Positive, Shape, elements, written
from nncore.squashing import check_squashing
from nncore.timeline import Timeline, timeline

Rate = Annotated[float, Range(min=0, below=1)]


class Way(NamedTuple):
    """One way to read sequences: its weights, its direction, and a pass for what it alone has."""

    params: Params
    backwards: bool
    pass_: Pass


class Reading(NamedTuple):
    """What the way back needs, for each way; `dropped` are the inputs' factors of dropout."""

    ways: Sequence[Way]
    lines: Sequence[Timeline]
    cell: Cell
    dropped: Sequence[Array | None]


@dataclass(frozen=True, slots=True)
class Recurrent(Layer):
    """A layer that reads sequences [steps, features] step by step.

    `gates`: how many the weights have. `operations_a_unit`: floating-point operations of the cell's
    formula for one unit and step, without the products. `kept_a_unit`: numbers of one unit and step
    that go back in time, beside the gates and their slopes.
    """

    units: Positive
    activation: Activation | None = Tanh()
    use_bias: bool = True
    kernel_initializer: Initializer = GlorotUniform()
    recurrent_initializer: Initializer = Orthogonal()
    bias_initializer: Initializer = Zeros()
    dropout: Rate = 0.0
    recurrent_dropout: Rate = 0.0
    return_sequences: bool = False
    go_backwards: bool = False
    zero_output_for_mask: bool = False
    kernel_regularizer: Regularizer | None = None
    recurrent_regularizer: Regularizer | None = None
    bias_regularizer: Regularizer | None = None

    gates: ClassVar[int]
    operations_a_unit: ClassVar[int]
    kept_a_unit: ClassVar[int]

    def check(self) -> None:
        """Raise ArchitectureError for fields that do not go together."""

    def bias_shape(self) -> tuple[int, ...]:
        """The shape of the weight `bias`."""
        return (self.gates * self.units,)

    def bias_start(self) -> Initializer:
        """How the weight `bias` starts."""
        return self.bias_initializer

    def stacked(self, params: Params) -> tuple[Array, ...]:
        """What the rows (h, 1, x) are multiplied with, one below the other: R, b and W."""
        bias = self.input_bias(params) if self.use_bias else np.zeros_like(params["kernel"][0])
        return params["recurrent_kernel"], bias[None], params["kernel"]

    def input_bias(self, params: Params) -> Array:
        """What is added to the projected inputs, (G U,)."""
        return params["bias"]

    def cell(self, params: Sequence[Params], given: Given) -> Cell:
        """A pass of the layer's formula, with the weights of each group."""
        raise NotImplementedError

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 2 or shape[1] is None:
            raise ArchitectureError(
                "",
                f"{self.type_name} needs a sequence [steps, features], got shape {written(shape)}",
            )
        if shape[0] == 0:
            raise ArchitectureError("", f"{self.type_name} needs at least one step, got none")
        check_squashing(self.activation, "activation", self.units)
        self.check()
        return (shape[0], self.units) if self.return_sequences else (self.units,)

    def weights(self, shape: Shape) -> dict[str, Weight]:
        width = self.gates * self.units
        kernel, recurrent = (elements(shape[1:]), width), (self.units, width)
        found = {
            "kernel": Weight(kernel, self.kernel_initializer, regularizer=self.kernel_regularizer),
            "recurrent_kernel": Weight(
                recurrent, self.recurrent_initializer, regularizer=self.recurrent_regularizer
            ),
        }
        if self.use_bias:
            found["bias"] = Weight(
                self.bias_shape(), self.bias_start(), regularizer=self.bias_regularizer
            )
        return found

    def flops(self, shape: Shape) -> int:
        products = 2 * self.gates * self.units * (elements(shape[1:]) + self.units)
        formula = self.units * (self.operations_a_unit + self.gates * self.use_bias)
        return elements(shape[:1]) * (products + formula)

    def steps(self, shape: Shape) -> int:
        return elements(shape[:1])

    def kept(self, shape: Shape) -> int:
        features = elements(shape[1:])
        of_a_step = 2 * features + self.units * (2 * self.gates + self.kept_a_unit)
        return elements(shape[:1]) * of_a_step

    def output_mask(self, x: Any, mask: Mask | None) -> Mask | None:
        if mask is None or not self.return_sequences:
            return None
        return mask[:, ::-1] if self.go_backwards else mask

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Reading]:
        (y,), reading = self.read(x, [Way(params, self.go_backwards, pass_)], pass_)
        return y, reading

    def backward(
        self, params: Params, cache: Reading, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        ((dx, gradients),) = self.read_back(cache, [dy], pass_)
        return dx, gradients

    def read(self, x: Array, ways: Sequence[Way], pass_: Pass) -> tuple[list[Array], Reading]:
        """The outputs of each way to read the inputs, each in the order of its steps."""
        lines = [timeline(x.shape[1], pass_.mask, way.backwards) for way in ways]
        shape, width = (len(x), self.units), x.shape[2]
        size = (len(ways), len(lines[0].order) + 1, len(x), self.units + 1 + width)
        rows = pass_.buffer("rows", size, x.dtype)
        rows[..., self.units] = 1
        dropped = [
            _factor(self.dropout, x[:, 0].shape, "dropout", x.dtype, way.pass_) for way in ways
        ]
        for steps, line, factor in zip(rows[:, :-1, :, -width:], lines, dropped, strict=True):
            line.gather(x, steps)
            if factor is not None:
                steps *= factor
        factors = [
            _factor(self.recurrent_dropout, shape, "recurrent_dropout", x.dtype, way.pass_)
            for way in ways
        ]
        found = [factor for factor in factors if factor is not None]
        told = np.stack(found) if found else None
        cell = self.cell([way.params for way in ways], Given(rows, self.units, told, pass_))
        unroll(cell, lines)
        reading = Reading(ways, lines, cell, dropped)
        return [
            self._output(*each) for each in zip(ways, lines, cell.outputs, strict=True)
        ], reading

    def read_back(
        self, reading: Reading, slopes: Sequence[Array], pass_: Pass
    ) -> list[tuple[Array | None, Params]]:
        """dL/dx and the gradients of each way, from dL/dy."""
        ways, lines, cell, _ = reading
        for line, dy in zip(lines, slopes, strict=True):
            if self.return_sequences and self.zero_output_for_mask and line.padding is not None:
                dy[line.padding] = 0
        cell.start_back([way.params["recurrent_kernel"] for way in ways])
        unroll_back(cell, lines, slopes)
        return [self._gradients(reading, group, pass_.needs_dx) for group in range(len(ways))]

    def _output(self, way: Way, line: Timeline, states: Array) -> Array:
        if self.return_sequences:
            return line.outputs(states, self.zero_output_for_mask, way.pass_)
        y = way.pass_.buffer("y", states.shape[1:], states.dtype)
        np.copyto(y, states[-1])
        return y

    def _gradients(
        self, reading: Reading, group: int, needs_dx: bool
    ) -> tuple[Array | None, Params]:
        way, cell, factor = reading.ways[group], reading.cell, reading.dropped[group]
        found = cell.gradients(group)
        gradients = {"kernel": found.kernel, "recurrent_kernel": found.recurrent}
        if self.use_bias:
            gradients["bias"] = found.bias
        if not needs_dx:
            return None, gradients
        slopes = cell.input_slopes(group, way.params["kernel"])
        if factor is not None:
            slopes *= factor
        return reading.lines[group].scatter(slopes, way.pass_), gradients

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return write_recurrent(self, params, x, graph)

    def onnx_mask(self, x: Value, graph: Graph) -> Value | None:
        if x.mask is None or not self.return_sequences:
            return None
        return replace(x.mask, name=graph.reverse(x.mask.name, 1)) if self.go_backwards else x.mask

    def operator(self) -> Operator:
        """What the layer is in ONNX."""
        raise NotImplementedError

    def biases(self, params: Params) -> tuple[Array, Array]:
        """What is added to the projected inputs and to the projected state, (G U,) each."""
        return params["bias"], np.zeros_like(params["bias"])

    def onnx_step(
        self, params: Params, x: str, states: tuple[str, ...], graph: Graph
    ) -> tuple[str, ...]:
        """A step as `cell` takes it: the states after it from those before it and x W + b."""
        raise NotImplementedError


def _factor(
    rate: float, shape: tuple[int, ...], name: str, dtype: np.dtype[Any], pass_: Pass
) -> Array | None:
    """What dropout multiplies with, the same at all steps; None where it does nothing."""
    if not pass_.training or rate == 0:
        return None
    factor = pass_.buffer(name, shape, dtype)
    np.greater_equal(pass_.uniform(shape, name), np.float32(rate), out=factor)
    factor *= 1 / (1 - rate)
    return factor
