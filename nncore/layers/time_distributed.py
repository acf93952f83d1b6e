"""A layer applied to every step by itself, with the same weights.

x (N, T, ...), y (N, T, ...): the steps of all examples are the examples of the layer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from nncore.activations.activation import Activation
from nncore.arrays import AnyArray, Array, Params
from nncore.errors import ArchitectureError
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.operation import Operation, Weight
from nncore.passes import Pass
from nncore.registry import register
from nncore.shapes import Shape, elements, written
from nncore.wrapping import check_wrapped


@register("time_distributed")
@dataclass(frozen=True, slots=True)
class TimeDistributed(Layer):
    """Applies a layer to every step of a sequence [steps, ...] by itself."""

    layer: Layer

    def operations(self) -> tuple[Operation, ...]:
        first, *others = self.layer.operations()
        return (EachStep(first, self.layer), *map(_of_steps, others))


@dataclass(frozen=True, slots=True)
class EachStep(Operation):
    """An operation whose examples are the steps of all examples; `layer`: what it stands for."""

    operation: Operation
    layer: Layer | None = None

    def wants_integers(self) -> bool:
        return self.operation.wants_integers()

    def output_shape(self, shape: Shape) -> Shape:
        self._check()
        if len(shape) < 2:
            raise ArchitectureError(
                "", f"time_distributed needs a shape [steps, ...], got {written(shape)}"
            )
        try:
            return (shape[0], *self.operation.output_shape(shape[1:]))
        except ArchitectureError as error:
            raise error.under("/layer") from None

    def weights(self, shape: Shape) -> dict[str, Weight]:
        return self.operation.weights(shape[1:])

    def flops(self, shape: Shape) -> int:
        return elements(shape[:1]) * self.operation.flops(shape[1:])

    def kept(self, shape: Shape) -> int:
        return elements(shape[:1]) * self.operation.kept(shape[1:])

    def scratch(self, shape: Shape, examples: int) -> int:
        return self.operation.scratch(shape[1:], examples * elements(shape[:1]))

    def forward(self, params: Params, x: AnyArray, pass_: Pass) -> tuple[Array, Any]:
        y, cache = self.operation.forward(params, _merged(x), pass_.of_steps(x.shape[1]))
        return y.reshape(*x.shape[:2], *y.shape[1:]), (cache, x.shape)

    def backward(
        self, params: Params, cache: Any, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        inner, shape = cache
        slope = _merged(dy)
        dx, gradients = self.operation.backward(params, inner, slope, pass_.of_steps(shape[1]))
        return None if dx is None else dx.reshape(shape), gradients

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        inner = x.shape[1:]
        merged = replace(x, name=graph.shaped(x.name, -1, inner, x.name, 2), shape=inner, mask=None)
        y = self.operation.to_onnx(params, merged, graph)
        start = graph.sizes(x.name, 0, 2)
        return graph.shaped(y, start, self.operation.output_shape(inner), y, 1)

    def word(self) -> str:
        return self.operation.word()

    def _check(self) -> None:
        if self.layer is None:
            return
        check_wrapped(self.layer)
        if self.operation.many:
            raise ArchitectureError(
                "/layer/type",
                f"time_distributed needs a layer of one input, got {self.layer.type_name}",
            )


def _of_steps(operation: Operation) -> Operation:
    # Activations without weights do the same to sequences; left as they are, a loss knows them.
    free = isinstance(operation, Activation) and type(operation).weights is Operation.weights
    return operation if free else EachStep(operation)


def _merged(x: AnyArray) -> AnyArray:
    """Steps and examples in one axis."""
    return x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])
