"""What is executed for a network: stages in order, and the places of their values.

Values are numbered: the inputs first, then what each stage gives.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from nncore.arrays import Params
from nncore.errors import ArchitectureError, few
from nncore.layers import Layer
from nncore.operation import Operation, Weight
from nncore.plan import NETWORK, NetworkSpec
from nncore.shapes import Shape, check_axes
from nncore.wiring import Wiring, name_of


@dataclasses.dataclass(frozen=True, slots=True)
class Port:
    """An input of the network; `integers`: it takes token ids."""

    name: str
    shape: Shape
    integers: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """One operation in its place.

    `inputs` are the values it reads, `output` the one it gives; `input_shape` is a tuple of shapes
    if the operation reads many. `weights`, by short name, belong to the layer `owner`. `wanted`:
    those of its inputs whose gradient somebody wants. `in_place`: whether its output may take the
    place of its input.
    """

    layer: str
    owner: str
    index: int
    operation: Operation
    inputs: tuple[int, ...]
    output: int
    input_shape: Any
    output_shape: Shape
    weights: dict[str, Weight]
    wanted: frozenset[int]
    in_place: bool = False

    @property
    def needs_dx(self) -> bool:
        """Whether anybody wants the gradient of what it reads."""
        return bool(self.wanted)

    @property
    def learns(self) -> bool:
        """Whether it has a weight that is trained."""
        return any(weight.trainable for weight in self.weights.values())

    def key(self, weight: str) -> str:
        """The full name of a weight."""
        return f"{NETWORK if self.weights[weight].shared else self.owner}.{weight}"

    def own(self, params: Mapping[str, Any]) -> Params:
        """This stage's weights by short name."""
        return {name: params[self.key(name)] for name in self.weights}


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """The stages of a network and the numbers of the values that are its outputs."""

    ports: tuple[Port, ...]
    stages: tuple[Stage, ...]
    outputs: tuple[int, ...]

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        """The shape of each output."""
        shapes = {stage.output: stage.output_shape for stage in self.stages}
        return tuple(shapes[output] for output in self.outputs)

    @property
    def weights(self) -> dict[str, Weight]:
        """Every weight before it exists, by full name."""
        return {
            stage.key(name): weight
            for stage in self.stages
            if stage.owner == stage.layer
            for name, weight in stage.weights.items()
        }

    @property
    def learned(self) -> dict[str, Weight]:
        """The trainable weights that the outputs depend on, by full name."""
        reached, found = set(self.outputs), set()
        for stage in reversed(self.stages):
            if stage.output in reached:
                reached |= stage.wanted
                found |= {stage.key(name) for name in stage.weights}
        weights = self.weights
        return {
            name: weights[name] for name in weights if name in found and weights[name].trainable
        }

    @property
    def used_once(self) -> frozenset[str]:
        """The weights, by full name, that one stage alone uses."""
        uses = [stage.key(name) for stage in self.stages for name in stage.weights]
        return frozenset(name for name in uses if uses.count(name) == 1)

    @property
    def is_chain(self) -> bool:
        """Whether each stage reads what the one before gives, and no weights are used twice."""
        values = [value for stage in self.stages for value in stage.inputs]
        last = self.stages[-1].output if self.stages else 0
        uses = [stage.key(name) for stage in self.stages for name in stage.weights]
        return (
            len(set(values)) == len(values)
            and self.outputs == (last,)
            and len(set(uses)) == len(uses)
            and not any(port.integers for port in self.ports)
        )

    def readers(self, value: int) -> int:
        """How many stages read a value."""
        return sum(stage.inputs.count(value) for stage in self.stages)

    def in_place(self) -> Program:
        """The same, but that values may be overwritten that nobody else needs."""
        makers = {stage.output: stage.operation for stage in self.stages}

        def alone(stage: Stage) -> bool:
            (value, *others) = stage.inputs
            free = value in makers and not makers[value].needs_output
            return free and not others and value not in self.outputs and self.readers(value) == 1

        stages = (dataclasses.replace(stage, in_place=alone(stage)) for stage in self.stages)
        return dataclasses.replace(self, stages=tuple(stages))

    def with_input_gradients(self) -> Program:
        """The same, but that the gradients of all inputs that are no ids are wanted."""
        ports = enumerate(self.ports)
        wanted = {number for number, port in ports if not port.integers}
        return dataclasses.replace(self, stages=tuple(_wanting(self.stages, wanted)))


def assemble(spec: NetworkSpec, wiring: Wiring, shapes: Mapping[str, Shape]) -> Program:
    """The program of a document for inputs of these shapes (those it declares, or actual ones).

    Raises ArchitectureError, pointing at the layer at fault.
    """
    readers = _readers(spec, wiring)
    ports = tuple(_port(spec, readers, name, shape) for name, shape in shapes.items())
    values = {port.name: number for number, port in enumerate(ports)}
    known: list[Shape] = [port.shape for port in ports]
    stages: list[Stage] = []
    for position in wiring.order:
        layer, sources = spec.layers[position], wiring.reads[position]
        reads = tuple(values[name] for name in sources)
        for operation in layer.operations():
            seen = tuple(known[value] for value in reads)
            shape = seen if operation.many else seen[0]
            try:
                stage = _stage(layer, operation, reads, shape, len(stages), len(known))
            except ArchitectureError as error:
                raise error.under(f"/layers/{position}") from None
            stages.append(stage)
            known.append(stage.output_shape)
            reads = (stage.output,)
        values[name_of(layer)] = reads[0]
    _check_common(spec.layers, stages)
    whole = _wanting(_shared(spec.layers, stages), set())
    return Program(ports, tuple(whole), tuple(values[name] for name in wiring.outputs))


def _readers(spec: NetworkSpec, wiring: Wiring) -> dict[str, list[Layer]]:
    """The layers that read each input."""
    readers: dict[str, list[Layer]] = {name: [] for name in spec.sources}
    for layer, reads in zip(spec.layers, wiring.reads, strict=True):
        for name in reads:
            if name in readers:
                readers[name].append(layer)
    return readers


def _port(spec: NetworkSpec, readers: Mapping[str, list[Layer]], name: str, shape: Shape) -> Port:
    wants = any(layer.operations()[0].wants_integers() for layer in readers[name])
    dtype = spec.sources[name].dtype
    if wants and dtype == "float32":
        raise ArchitectureError(
            f"{spec.pointer(name)}/dtype", 'must be "int32": a layer reads token ids from it'
        )
    return Port(name, shape, wants or dtype == "int32")


def _stage(
    layer: Layer, operation: Operation, reads: tuple[int, ...], shape: Any, index: int, output: int
) -> Stage:
    name, after = name_of(layer), operation.output_shape(shape)
    check_axes(after, "")
    weights = {
        short: dataclasses.replace(weight, trainable=weight.trainable and layer.trainable)
        for short, weight in operation.weights(shape).items()
    }
    owner = name if layer.shares is None else layer.shares
    return Stage(name, owner, index, operation, reads, output, shape, after, weights, frozenset())


def _shared(layers: tuple[Layer, ...], stages: list[Stage]) -> Iterator[Stage]:
    """The stages, those of layers that share with their owner's weights. Checks that they fit."""
    owned = {
        stage.key(name): weight
        for stage in stages
        if stage.owner == stage.layer
        for name, weight in stage.weights.items()
    }
    positions = {name_of(layer): index for index, layer in enumerate(layers)}
    for stage in stages:
        if stage.owner == stage.layer:
            yield stage
            continue
        pointer = f"/layers/{positions[stage.layer]}/shares"
        _check_owner(layers, positions, stage.owner, pointer)
        for name, weight in stage.weights.items():
            _check_shared(owned.get(stage.key(name)), weight, name, stage.owner, pointer)
        weights = {name: owned[stage.key(name)] for name in stage.weights}
        yield dataclasses.replace(stage, weights=weights)


def _check_common(layers: tuple[Layer, ...], stages: list[Stage]) -> None:
    """Weights of the whole network must mean the same wherever they are used."""
    known: dict[str, tuple[str, Weight]] = {}
    for stage in stages:
        for name, weight in stage.weights.items():
            if not weight.shared:
                continue
            first, same = known.setdefault(name, (stage.layer, weight))
            if same != weight:
                index = next(i for i, layer in enumerate(layers) if layer.name == stage.layer)
                field = "/activation" if getattr(layers[index], "activation", None) else ""
                raise ArchitectureError(
                    f"/layers/{index}{field}",
                    f'differs from that of "{first}", with which it shares {NETWORK}.{name}; all '
                    "fields, and whether the layer is trainable, must agree",
                )


def _check_owner(
    layers: tuple[Layer, ...], positions: Mapping[str, int], owner: str, pointer: str
) -> None:
    if owner not in positions:
        raise ArchitectureError(
            pointer, f'there is no layer "{owner[:40]}"; known: {few(positions)}'
        )
    if (root := layers[positions[owner]].shares) is not None:
        raise ArchitectureError(pointer, f'"{owner}" has no weights of its own; share "{root}"')


def _check_shared(
    owned: Weight | None, weight: Weight, name: str, owner: str, pointer: str
) -> None:
    if owned is None:
        raise ArchitectureError(pointer, f'"{owner}" has no weight "{name}" to share')
    if owned.shape != weight.shape:
        raise ArchitectureError(
            pointer,
            f'the {name} here has shape {weight.shape}, that of "{owner}" has {owned.shape}; '
            "layers that share must agree in their sizes and inputs",
        )


def _wanting(stages: Iterator[Stage] | tuple[Stage, ...], wanted: set[int]) -> Iterator[Stage]:
    for stage in stages:
        needed = frozenset(stage.inputs) & wanted
        if needed or stage.learns:
            wanted.add(stage.output)
        yield dataclasses.replace(stage, wanted=needed)
