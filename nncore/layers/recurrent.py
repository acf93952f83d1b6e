"""What simple_rnn, lstm and gru have in common: fields, weights, inputs, outputs, gradients.

At a step without data an example keeps its state and repeats its output, so that padding on either
side changes no output and no gradient.
"""

from __future__ import annotations

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
from nncore.recurrence import Cell, Given, Inputs, join_gates, split_gates, unroll, unroll_back
from nncore.regularizers.regularizer import Regularizer
from nncore.shapes import Positive, Shape, elements, written
from nncore.squashing import check_squashing
from nncore.timeline import Timeline, timeline

Rate = Annotated[float, Range(min=0, below=1)]


class _Cache(NamedTuple):
    line: Timeline
    inputs: Inputs
    weights: Array
    cell: Cell


@dataclass(frozen=True, slots=True)
class Recurrent(Layer):
    """A layer that reads sequences [steps, features] step by step.

    `gates`: which gate of the weights stands where in the cell's buffers. `operations_a_unit`:
    floating-point operations of the cell's formula for one unit and step, without the products.
    `kept_a_unit`: numbers of one unit and step that go back in time, beside the gates.
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

    gates: ClassVar[tuple[int, ...]]
    operations_a_unit: ClassVar[int]
    kept_a_unit: ClassVar[int]

    def check(self) -> None:
        """Raise ArchitectureError for fields that do not go together."""

    def bias_shape(self) -> tuple[int, ...]:
        """The shape of the weight `bias`."""
        return (len(self.gates) * self.units,)

    def bias_start(self) -> Initializer:
        """How the weight `bias` starts."""
        return self.bias_initializer

    def input_bias(self, bias: Array) -> Array:
        """What is added to the projected inputs, (G U,)."""
        return bias

    def bias_gradient(self, slope: Array, cell: Cell) -> Array:
        """dL/dbias from dL/d(input bias)."""
        return slope

    def cell(self, params: Params, *given: *Given) -> Cell:
        """A pass of the layer's formula."""
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
        width = len(self.gates) * self.units
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
        products = 2 * len(self.gates) * self.units * (elements(shape[1:]) + self.units)
        formula = self.units * (self.operations_a_unit + len(self.gates) * self.use_bias)
        return elements(shape[:1]) * (products + formula)

    def kept(self, shape: Shape) -> int:
        features = elements(shape[1:])
        of_a_step = 2 * features + self.units * (2 * len(self.gates) + self.kept_a_unit)
        return elements(shape[:1]) * of_a_step

    def output_mask(self, x: Any, mask: Mask | None) -> Mask | None:
        if mask is None or not self.return_sequences:
            return None
        return mask[:, ::-1] if self.go_backwards else mask

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, _Cache]:
        line = timeline(x.shape[1], pass_.mask, self.go_backwards)
        inputs = self._inputs(x, line, pass_)
        weights = split_gates(self._input_weights(params), self.gates)
        z = inputs.project(weights, pass_)
        recurrent = split_gates(params["recurrent_kernel"], self.gates)
        shape = (len(x), self.units)
        factor = _factor(self.recurrent_dropout, shape, "recurrent_dropout", x.dtype, pass_)
        cell = self.cell(params, z, recurrent, factor, pass_)
        unroll(cell, line)
        cache = _Cache(line, inputs, weights, cell)
        if not self.return_sequences:
            return cell.h[-1], cache
        return line.outputs(cell.h, self.zero_output_for_mask, pass_), cache

    def backward(
        self, params: Params, cache: _Cache, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        line, inputs, weights, cell = cache
        if self.return_sequences and self.zero_output_for_mask and line.padding is not None:
            dy[line.padding] = 0
        unroll_back(cell, line, dy)
        width = len(params["kernel"])
        slopes = join_gates(inputs.gradient(cell.dz, pass_), self.gates)
        gradients = {
            "kernel": slopes[:width],
            "recurrent_kernel": join_gates(cell.gradients(), self.gates),
        }
        if self.use_bias:
            gradients["bias"] = self.bias_gradient(slopes[width], cell)
        if not pass_.needs_dx:
            return None, gradients
        return line.scatter(inputs.slope(cell.dz, weights, pass_), pass_), gradients

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

    def _input_weights(self, params: Params) -> Array:
        if not self.use_bias:
            return params["kernel"]
        return np.concatenate([params["kernel"], self.input_bias(params["bias"])[None]])

    def _inputs(self, x: Array, line: Timeline, pass_: Pass) -> Inputs:
        examples, _, width = x.shape
        steps = pass_.buffer("inputs", (len(line.order), examples, width + self.use_bias), x.dtype)
        line.gather(x, steps[..., :width])
        steps[..., width:] = 1
        factor = _factor(self.dropout, (examples, width), "dropout", x.dtype, pass_)
        if factor is not None:
            steps[..., :width] *= factor
        return Inputs(steps, factor, self.use_bias)


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
