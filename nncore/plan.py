"""From a network document to the stages that are executed: names, shapes, weights."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import cast

from nncore.arrays import Params
from nncore.documents import parse
from nncore.errors import ArchitectureError, DocumentError
from nncore.layers import Layer
from nncore.operation import Operation, Weight
from nncore.shapes import Positive, Shape


@dataclasses.dataclass(frozen=True, slots=True)
class InputSpec:
    """What one example looks like; null is a size that varies."""

    shape: tuple[Positive | None, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A sequence of layers; the input may be left out where a dataset gives it."""

    layers: tuple[Layer, ...]
    input: InputSpec | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """One operation in its place.

    `inputs` are the values it reads: 0 is the network's input, n what stage n - 1 gives. `weights`
    are by short name. `needs_dx`: an earlier stage has trainable weights.
    """

    layer: str
    index: int
    operation: Operation
    inputs: tuple[int, ...]
    input_shape: Shape
    output_shape: Shape
    weights: dict[str, Weight]
    needs_dx: bool

    def key(self, weight: str) -> str:
        """The full name of a weight."""
        return f"{self.layer}.{weight}"

    def own(self, params: Params) -> Params:
        """This stage's weights by short name."""
        return {name: params[self.key(name)] for name in self.weights}


def read_spec(document: object, input_shape: Shape | None) -> tuple[NetworkSpec, Shape]:
    """The network of a document, every layer named, and the shape of an example.

    Raises ArchitectureError.
    """
    _refuse_graphs(document)
    try:
        spec = parse(NetworkSpec, document)
    except DocumentError as error:
        raise ArchitectureError(error.pointer, error.detail) from None
    if not spec.layers:
        raise ArchitectureError("/layers", "a network needs at least one layer")
    if spec.input is None and input_shape is None:
        raise ArchitectureError(
            "/input", 'is required here, e.g. {"shape": [8, 8, 1]} for images of 8 x 8 pixels'
        )
    given = InputSpec(tuple(input_shape)) if input_shape is not None else None
    source = spec.input or cast(InputSpec, given)
    if not source.shape:
        raise ArchitectureError("/input/shape", "needs at least one size, e.g. [4]")
    return NetworkSpec(_named(spec.layers), source), source.shape


def _refuse_graphs(document: object) -> None:
    if not isinstance(document, Mapping):
        return
    for field in ("inputs", "outputs"):
        if field in document:
            raise ArchitectureError(
                f"/{field}", 'graphs are not supported; give "input" and a sequence of "layers"'
            )
    layers = document.get("layers")
    for index, layer in enumerate(layers if isinstance(layers, list | tuple) else ()):
        if isinstance(layer, Mapping) and "inputs" in layer:
            raise ArchitectureError(
                f"/layers/{index}/inputs",
                "graphs are not supported; each layer reads the one above it",
            )


def _named(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    owners: dict[str, int] = {}
    for index, layer in enumerate(layers):
        if layer.name is not None:
            _claim(owners, layer.name, index)
    counts: dict[str, int] = {}
    named = []
    for layer in layers:
        name = layer.name
        while name is None or (layer.name is None and name in owners):
            counts[layer.type_name] = counts.get(layer.type_name, 0) + 1
            name = f"{layer.type_name}_{counts[layer.type_name]}"
        named.append(dataclasses.replace(layer, name=name))
    return tuple(named)


def _claim(owners: dict[str, int], name: str, index: int) -> None:
    pointer = f"/layers/{index}/name"
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", name):
        raise ArchitectureError(pointer, "must be 1 to 100 letters, digits, underscores or hyphens")
    if name in owners:
        raise ArchitectureError(
            pointer, f'"{name}" is the name of layers[{owners[name]}] too; names must differ'
        )
    owners[name] = index


def stages_of(layers: tuple[Layer, ...], input_shape: Shape) -> tuple[Stage, ...]:
    """The stages of named layers. Raises ArchitectureError, pointing at the layer at fault."""
    stages: list[Stage] = []
    shape, needs_dx = input_shape, False
    for position, layer in enumerate(layers):
        for operation in layer.operations():
            try:
                after = operation.output_shape(shape)
            except ArchitectureError as error:
                raise error.under(f"/layers/{position}") from None
            index = len(stages)
            weights = operation.weights(shape)
            name = cast(str, layer.name)
            stages.append(Stage(name, index, operation, (index,), shape, after, weights, needs_dx))
            needs_dx = needs_dx or any(weight.trainable for weight in weights.values())
            shape = after
    return tuple(stages)
