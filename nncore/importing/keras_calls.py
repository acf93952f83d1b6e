"""What a Keras document says about the calls of its layers: who reads what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nncore.documents.hints import shown
from nncore.errors import ArchitectureError
from nncore.importing.keras_layers import LAYERS
from nncore.importing.keras_options import member
from nncore.importing.keras_units import ACTIVATIONS

Reference = tuple[str, int]
"""A value: the name of a layer and the number of the call that gave it."""

_JOINING = ("Add", "Subtract", "Multiply", "Maximum", "Minimum")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a layer: its entry in the document and where that is, and what it reads."""

    entry: Any
    pointer: str
    gives: Reference
    reads: tuple[Reference, ...]

    @property
    def place(self) -> str:
        """Where the document describes this call."""
        return f"{self.pointer}/inbound_nodes/{self.gives[1]}"


def calls_of(layers: list[Any], outputs: Iterable[Reference], pointer: str) -> list[Call]:
    """The calls that the outputs need, in the document's order."""
    calls = {}
    for index, entry in enumerate(layers):
        place = f"{pointer}/layers/{index}"
        if class_of(entry) != "InputLayer":
            nodes = member(entry, "inbound_nodes", list, place)
            for node in range(len(nodes)):
                calls[name_of(entry), node] = (entry, place)
    needed: dict[Reference, tuple[Reference, ...]] = {}
    waiting = [output for output in outputs if output in calls]
    while waiting:
        value = waiting.pop()
        entry, place = calls[value]
        needed[value] = tuple(_reads(entry, value[1], f"{place}/inbound_nodes/{value[1]}"))
        waiting += [read for read in needed[value] if read in calls and read not in needed]
    # What only masks are made of is left out: they go along by themselves here.
    return [
        Call(entry, place, value, needed[value])
        for value, (entry, place) in calls.items()
        if value in needed
    ]


def class_of(entry: Any) -> Any:
    """The class of a layer."""
    return entry.get("class_name") if isinstance(entry, Mapping) else None


def name_of(entry: Any) -> str:
    """The name of a layer."""
    entry = entry if isinstance(entry, Mapping) else {}
    config = entry.get("config")
    inner = config.get("name") if isinstance(config, Mapping) else None
    return str(entry.get("name") or inner)


def references(structure: Any, pointer: str) -> list[Reference]:
    """Every [layer, call, tensor] in a list or an object of them."""
    if isinstance(structure, Mapping):
        structure = list(structure.values())
    if not isinstance(structure, list):
        raise ArchitectureError(pointer, f"expected a list of outputs, got {shown(structure)}")
    if len(structure) == 3 and isinstance(structure[0], str):
        return [_reference(structure, pointer)]
    return [found for part in structure for found in references(part, pointer)]


def _reference(history: Any, pointer: str) -> Reference:
    if not isinstance(history, list) or len(history) != 3:
        raise ArchitectureError(pointer, f"expected [layer, call, output], got {shown(history)}")
    name, node, tensor = history
    if not isinstance(node, int) or tensor != 0:
        raise ArchitectureError(
            pointer,
            f"asks for output {shown(tensor)} of {shown(name)}; layers here have one output",
        )
    return str(name), node


def _reads(entry: Any, node: int, pointer: str) -> Iterator[Reference]:
    call = entry["inbound_nodes"][node]
    if not isinstance(call, Mapping):
        raise ArchitectureError(pointer, "is not how Keras 3 writes models; save it with Keras 3")
    extra = member(call, "kwargs", dict, pointer) if call.get("kwargs") else {}
    for name, value in extra.items():
        if not (value in (None, False) or (name == "mask" and isinstance(value, Mapping))):
            raise ArchitectureError(
                f"{pointer}/kwargs/{name}", "is not supported; call the layer with its inputs alone"
            )
    yield from _histories(call.get("args", []), f"{pointer}/args")


def _histories(value: Any, pointer: str) -> Iterator[Reference]:
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _histories(part, f"{pointer}/{index}")
    elif isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
        config = member(value, "config", dict, pointer)
        yield _reference(config.get("keras_history"), f"{pointer}/config/keras_history")
    elif value is not None:
        raise ArchitectureError(pointer, f"expected a layer's output, got {shown(value)}")


def operation(entry: Any, pointer: str) -> dict[str, Any] | None:
    """The layer for an operation on tensors, such as `a + b`; None if it is a layer."""
    if not isinstance(entry, Mapping) or ".ops" not in str(entry.get("module")):
        return None
    name = member(entry, "class_name", str, pointer)
    if name in _JOINING and len(_ranks(entry)) == 1:
        return {"type": LAYERS[name][0]}
    activation = ACTIVATIONS.get(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    if activation and set(member(entry, "config", dict, pointer)) <= {"name"}:
        return {"type": "activation", "activation": activation}
    raise ArchitectureError(
        f"{pointer}/class_name", f"the operation {shown(name)} is not supported; use a layer"
    )


def _ranks(entry: Any) -> set[int]:
    """How many axes the operands have; operations on tensors align also the batch."""
    tensors = [tensor for call in entry["inbound_nodes"] for tensor in call.get("args") or ()]
    configs = [tensor.get("config") for tensor in tensors if isinstance(tensor, Mapping)]
    shapes = [config.get("shape") for config in configs if isinstance(config, Mapping)]
    return {len(shape) for shape in shapes if isinstance(shape, list)}
