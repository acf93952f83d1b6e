"""A network: shapes and sizes known before anything is allocated, weights kept outside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from nncore.activations import Activation
from nncore.arrays import Array, Params, dtype_of
from nncore.documents import parse, to_document
from nncore.errors import ArchitectureError
from nncore.execution import Executor, forward
from nncore.losses import Loss
from nncore.operation import Weight
from nncore.passes import Run
from nncore.plan import NetworkSpec, read_spec, stages_of
from nncore.seeds import generator
from nncore.shapes import Shape, elements, fits, written
from nncore.workspace import Workspace

_BYTES = 4
# Weight, gradient, two running means of the optimizer, and the best epoch's copy.
_COPIES_IN_TRAINING = 5


@dataclass(frozen=True, slots=True)
class Node:
    """One layer as a plan shows it; flops are those of a forward pass for one example."""

    name: str
    type: str
    input_shape: Shape
    output_shape: Shape
    parameters: int
    flops: int


class Network:
    """A sequence of layers. Holds no weights and no state: threads may share it."""

    def __init__(self, spec: NetworkSpec, input_shape: Shape) -> None:
        self.spec = spec
        self.input_shape = input_shape
        self.stages = stages_of(spec.layers, input_shape)
        self.output_shape = self.stages[-1].output_shape

    @classmethod
    def from_spec(
        cls, spec: Mapping[str, Any], input_shape: Sequence[int | None] | None = None
    ) -> Network:
        """The network of a document; `input_shape` is used if the document has no `input`.

        Allocates nothing. Raises ArchitectureError, pointing into the document.
        """
        return cls(*read_spec(spec, None if input_shape is None else tuple(input_shape)))

    def to_spec(self) -> dict[str, Any]:
        """The document of this network, every name and default filled in."""
        document = to_document(self.spec)
        return {"input": document["input"], "layers": document["layers"]}

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The layers in the document's order."""
        return tuple(self._node(layer.name, layer.type_name) for layer in self.spec.layers)

    def _node(self, name: str | None, type_name: str) -> Node:
        stages = [stage for stage in self.stages if stage.layer == name]
        weights = [weight for stage in stages for weight in stage.weights.values()]
        return Node(
            stages[0].layer,
            type_name,
            stages[0].input_shape,
            stages[-1].output_shape,
            sum(math.prod(weight.shape) for weight in weights),
            sum(stage.operation.flops(stage.input_shape) for stage in stages),
        )

    @property
    def weights(self) -> dict[str, Weight]:
        """Every weight before it exists, by full name."""
        return {
            stage.key(name): weight
            for stage in self.stages
            for name, weight in stage.weights.items()
        }

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of all weights by full name."""
        return {name: weight.shape for name, weight in self.weights.items()}

    @property
    def parameter_count(self) -> int:
        """Numbers in all weights."""
        return sum(math.prod(shape) for shape in self.weight_shapes.values())

    @property
    def final_activation(self) -> str:
        """The type of the activation that the outputs come from; `linear` if none."""
        last = self.stages[-1].operation
        return last.type_name if isinstance(last, Activation) else "linear"

    def memory_bytes(self, batch_size: int) -> int:
        """Bytes that training in float32 takes at most, about; variable sizes count once.

        Weights with what the optimizer keeps, and for each stage its output and its gradient.
        """
        values = elements(self.input_shape) + sum(
            2 * elements(stage.output_shape) for stage in self.stages
        )
        return _BYTES * (_COPIES_IN_TRAINING * self.parameter_count + batch_size * values)

    def init(self, seed: int = 0, dtype: DTypeLike = "float32") -> Params:
        """Fresh weights `<layer>.<weight>`; the same seed gives the same, whatever the dtype."""
        return {
            name: weight.initializer.draw(
                generator(seed, "init", name), weight.shape, np.dtype(dtype)
            )
            for name, weight in self.weights.items()
        }

    def check_weights(self, params: Mapping[str, Array]) -> None:
        """Raise ValueError naming a tensor that is missing, unknown or of another shape."""
        shapes = self.weight_shapes
        for name, shape in shapes.items():
            if name not in params:
                raise ValueError(f"weight {name!r} is missing; its shape is {shape}")
            if params[name].shape != shape:
                raise ValueError(
                    f"weight {name!r} must have shape {shape}, got {params[name].shape}"
                )
            if params[name].dtype.kind != "f":
                raise ValueError(
                    f"weight {name!r} must be floating-point, got {params[name].dtype}"
                )
        for name in params:
            if name not in shapes:
                raise ValueError(f"unknown weight {name!r}; the network has {', '.join(shapes)}")

    def check_inputs(self, x: Array) -> None:
        """Raise ValueError if x (N, ...) does not hold examples of this network."""
        if not fits(x.shape[1:], self.input_shape) or x.ndim == 0:
            raise ValueError(f"x must have shape (N, *{written(self.input_shape)}), got {x.shape}")
        if None in self.input_shape:
            try:
                stages_of(self.spec.layers, x.shape[1:])
            except ArchitectureError as error:
                raise ValueError(f"x of shape {x.shape} does not fit: {error}") from None

    def predict(self, params: Params, x: ArrayLike, batch_size: int = 256) -> Array:
        """What the last layer says about each example, in evaluation mode.

        x (N, ...), any real dtype; the result (N, ...) has the weights' dtype.
        """
        inputs = np.asarray(x)
        self.check_inputs(inputs)
        dtype, workspace = dtype_of(params), Workspace()
        outputs: Array | None = None
        for start in range(0, max(len(inputs), 1), batch_size):
            batch = np.ascontiguousarray(inputs[start : start + batch_size], dtype)
            with np.errstate(over="ignore", invalid="ignore"):
                part, _ = forward(self.stages, params, batch, Run(workspace))
            if outputs is None:
                outputs = np.empty((len(inputs), *part.shape[1:]), part.dtype)
            outputs[start : start + batch_size] = part
        assert outputs is not None
        return outputs

    def loss_and_grads(
        self,
        params: Params,
        x: ArrayLike,
        y: ArrayLike,
        loss: str | Mapping[str, Any] | Loss = "mean_squared_error",
        shards: int = 1,
        seed: int = 0,
        step: int = 0,
    ) -> tuple[float, Params]:
        """The mean loss of a batch in training mode, and its gradients keyed like params.

        x (N, ...); y as the loss wants it; the seed and the step decide dropout.
        """
        measure = parse(Loss, loss)
        inputs, targets = np.ascontiguousarray(x, dtype_of(params)), np.asarray(y)
        self.check_inputs(inputs)
        check_lengths(inputs, targets)
        measure.check(self.output_shape, targets)
        with Executor(self.stages, measure, shards) as executor:
            batch = executor.train(params, inputs, targets, seed, step)
        return batch.loss, batch.gradients


def check_lengths(x: Any, y: Any) -> None:
    """Raise ValueError unless there is one target for each example."""
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} examples, but y has {len(y)} targets")
