"""A network: shapes and sizes known before anything is allocated, weights kept outside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from numpy.typing import DTypeLike

from nncore.activations import Activation
from nncore.arrays import AnyArray, Array, Params
from nncore.documents import to_document
from nncore.errors import ArchitectureError
from nncore.examples import (
    Examples,
    Named,
    by_name,
    check_lengths,
    checked_inputs,
    checked_weights,
)
from nncore.executor import train_once
from nncore.folding import without_noise
from nncore.inference import Predictor, predict_once
from nncore.memory import check_memory, memory_bytes
from nncore.nodes import Node, nodes
from nncore.objective import LossChoice, Objective, objective
from nncore.operation import Weight
from nncore.plan import NetworkSpec, read_spec
from nncore.program import Program, Stage, assemble
from nncore.reordering import pool_first
from nncore.shapes import Shape
from nncore.shards import shards_for
from nncore.summary import summary
from nncore.trace import Trace, trace
from nncore.weights import check_weights, fresh
from nncore.wiring import wire

T = TypeVar("T")


class Network:
    """A graph of layers. Holds no weights and no state: threads may share it."""

    def __init__(self, spec: NetworkSpec) -> None:
        self.spec = spec
        self.wiring = wire(spec)
        self.program = assemble(spec, self.wiring, self.input_shapes)
        self.inference = pool_first(without_noise(self.program)).in_place()

    @classmethod
    def from_spec(
        cls, spec: Mapping[str, Any], input_shape: Sequence[int | None] | None = None
    ) -> Network:
        """The network of a document; `input_shape` is used if the document has no `input`.

        Allocates nothing. Raises ArchitectureError, pointing into the document.
        """
        return cls(read_spec(spec, None if input_shape is None else tuple(input_shape)))

    def to_spec(self) -> dict[str, Any]:
        """The document of this network, every name and default filled in."""
        document = to_document(self.spec)
        layers = document.pop("layers")
        sources = document.pop("inputs", None)
        one = document.pop("input")
        for port in self.program.ports:
            if port.integers:
                (one if sources is None else sources[port.name])["dtype"] = "int32"
        head = {"input": one} if sources is None else {"inputs": sources}
        if self.wiring.sequential:
            return {**head, "layers": layers}
        for layer, reads in zip(layers, self.wiring.reads, strict=True):
            layer["inputs"] = list(reads)
        return {**head, "layers": layers, "outputs": list(self.wiring.outputs)}

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The operations in the order of their execution."""
        return self.program.stages

    @property
    def input_shapes(self) -> dict[str, Shape]:
        """The shape of an example at each input."""
        return {name: source.shape for name, source in self.spec.sources.items()}

    @property
    def output_shapes(self) -> dict[str, Shape]:
        """The shape of each output for one example."""
        return dict(zip(self.wiring.outputs, self.program.output_shapes, strict=True))

    @property
    def input_shape(self) -> Shape:
        """The shape of an example. Raises ValueError if there are several inputs."""
        return _only("input", self.input_shapes)

    @property
    def output_shape(self) -> Shape:
        """The shape of the output for one example. Raises ValueError if there are several."""
        return _only("output", self.output_shapes)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The layers in the document's order."""
        return nodes(self.spec, self.wiring, self.program)

    @property
    def weights(self) -> dict[str, Weight]:
        """Every weight before it exists, by full name."""
        return self.program.weights

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of all weights by full name."""
        return {name: weight.shape for name, weight in self.weights.items()}

    @property
    def parameter_count(self) -> int:
        """Numbers in all weights."""
        return sum(math.prod(shape) for shape in self.weight_shapes.values())

    @property
    def final_activations(self) -> dict[str, str]:
        """The type of the activation that each output comes from; `linear` if none."""
        makers = {stage.output: stage.operation for stage in self.stages}
        last = [makers[output] for output in self.program.outputs]
        return {
            name: operation.type_name if isinstance(operation, Activation) else "linear"
            for name, operation in zip(self.wiring.outputs, last, strict=True)
        }

    @property
    def final_activation(self) -> str:
        """That of the only output. Raises ValueError if there are several."""
        return _only("output", self.final_activations)

    def memory_bytes(self, batch_size: int) -> int:
        """Bytes that training in float32 takes at most, about; variable sizes count once.

        Weights with gradients and what adam keeps, and for each stage its output, its gradient and
        what goes back to it. Validation and `predict` take less, for 256 examples unless told.
        """
        return memory_bytes(self.program, batch_size)

    def check_memory(self, batch_size: int, limit: int) -> None:
        """Raise ArchitectureError at the largest layer if training takes more bytes than that."""
        names = [str(layer.name) for layer in self.spec.layers]
        check_memory(self.program, names, batch_size, limit)

    def summary(self) -> str:
        """A table of the layers: shapes, parameters, operations and bytes for one example."""
        return summary(self.nodes, self.parameter_count, self.memory_bytes(1))

    def init(self, seed: int = 0, dtype: DTypeLike = "float32") -> Params:
        """Fresh weights `<layer>.<weight>`; the same seed gives the same, whatever the dtype."""
        return fresh(self.weights, seed, dtype)

    def check_weights(self, params: Mapping[str, Array]) -> None:
        """Raise ValueError naming a tensor that is missing, unknown or of another shape."""
        check_weights(self.weight_shapes, params)

    def check_inputs(self, x: Named) -> None:
        """Raise ValueError if x (N, ...) does not hold examples of this network."""
        self.inputs_of(x)

    def inputs_of(self, x: Named) -> tuple[AnyArray, ...]:
        """The checked array of each input, from one array or a mapping by name."""
        return self._checked(x)[0]

    def _checked(self, x: Named) -> tuple[tuple[AnyArray, ...], Program]:
        """The inputs, and the program for their actual shapes."""
        inputs = checked_inputs(x, self.input_shapes)
        if all(None not in shape for shape in self.input_shapes.values()):
            return inputs, self.program
        shapes = {
            name: array.shape[1:] for name, array in zip(self.input_shapes, inputs, strict=True)
        }
        try:
            return inputs, assemble(self.spec, self.wiring, shapes)
        except ArchitectureError as error:
            given = ", ".join(str(array.shape) for array in inputs)
            raise ValueError(f"x of shape {given} does not fit: {error}") from None

    def examples(
        self, x: Named, y: Named, target: Objective, sample_weight: Named | None = None
    ) -> Examples:
        """Checked examples: targets as the losses want them, weights (N,) or one a position.

        Raises ValueError.
        """
        (inputs, program), outputs = self._checked(x), self.wiring.outputs
        targets = by_name("y", y, outputs)
        check_lengths(inputs, targets)
        for name, shape, loss, wanted in zip(
            outputs, program.output_shapes, target.losses, targets, strict=True
        ):
            try:
                loss.check(shape, wanted)
            except ValueError as error:
                raise error if len(targets) == 1 else ValueError(f"{name}: {error}") from None
        return Examples(inputs, targets, checked_weights(sample_weight, outputs, targets))

    def predict(self, params: Params, x: Named, batch_size: int = 256) -> Any:
        """What the last layer says about each example, in evaluation mode.

        x (N, ...), any real dtype, or a mapping by input; the result (N, ...) has the weights'
        dtype (without weights that of x, if a float). Several outputs come as a dict by name. For
        many calls see `predictor`.
        """
        return predict_once(self, params, x, batch_size)

    def predictor(
        self, params: Params, batch_size: int = 256, shards: int | None = None
    ) -> Predictor:
        """`predict` with these weights as a callable that remembers how it went the last time.

        It takes a fraction of the time of `predict`, most for small networks, and works on parts
        of a batch in `shards` threads (by default as many as training takes for such batches).
        """
        parts = self.shards(batch_size) if shards is None else shards
        return Predictor(self, params, batch_size, parts)

    def shards(self, batch_size: int) -> int:
        """Into how many parts training divides such batches, unless it is told otherwise."""
        return shards_for(sum(node.flops for node in self.nodes) * batch_size)

    def loss_and_grads(
        self,
        params: Params,
        x: Named,
        y: Named,
        loss: LossChoice = "mean_squared_error",
        shards: int = 1,
        seed: int = 0,
        step: int = 0,
        sample_weight: Named | None = None,
        loss_weights: Mapping[str, float] | None = None,
    ) -> tuple[float, Params]:
        """The mean loss of a batch in training mode, and its gradients keyed like params.

        x (N, ...); y as the loss wants it; the seed and the step decide dropout. Several inputs,
        outputs and losses are mappings by name. Frozen weights have no gradient.
        """
        target = objective(loss, self.wiring.outputs, loss_weights)
        examples = self.examples(x, y, target, sample_weight)
        batch = train_once(self.program, params, examples, target, shards, seed, step)
        return batch.loss, batch.gradients

    def input_gradients(
        self,
        params: Params,
        x: Named,
        y: Named,
        loss: LossChoice = "mean_squared_error",
        sample_weight: Named | None = None,
        loss_weights: Mapping[str, float] | None = None,
    ) -> Any:
        """The gradient of the batch's mean loss in x, shaped like it; a dict if x has names.

        In training mode with seed 0. Inputs of token ids have none.
        """
        target = objective(loss, self.wiring.outputs, loss_weights)
        program = self.program.with_input_gradients()
        examples = self.examples(x, y, target, sample_weight)
        slopes = train_once(program, params, examples, target).slopes
        found = {
            port.name: slopes[value]
            for value, port in enumerate(self.program.ports)
            if value in slopes
        }
        if isinstance(x, Mapping):
            return found
        if not found:
            raise ValueError("token ids have no gradient")
        return next(iter(found.values()))

    def trace(
        self,
        params: Params,
        x: Named,
        y: Named,
        loss: LossChoice = "mean_squared_error",
        optimizer: str | Mapping[str, Any] = "sgd",
        loss_weights: Mapping[str, float] | None = None,
    ) -> Trace:
        """Everything that one training step computes; see Trace. `params` stay as they are."""
        target = objective(loss, self.wiring.outputs, loss_weights)
        examples = self.examples(x, y, target)
        return trace(self.program, params, examples, target, optimizer)


def _only(what: str, by_name: Mapping[str, T]) -> T:
    if len(by_name) > 1:
        raise ValueError(f"the network has several {what}s: {', '.join(by_name)}")
    return next(iter(by_name.values()))
