"""From a network document to its parts, every layer named: inputs, layers, outputs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Literal

from nncore.documents import if_given, parse
from nncore.errors import ArchitectureError, DocumentError
from nncore.layers import Layer
from nncore.shapes import Positive, Shape, check_axes

MOST_LAYERS = 10_000
MOST_INPUTS = 1_000
"""Of a network, and of a layer."""

INPUT = "input"
"""What layers call the input of a document that has only one."""

NETWORK = "network"
"""What weights of the whole network are named after in place of a layer."""


_SHARING = {
    "type": "object",
    "description": "A layer of all the fields of another, whose weights it uses, but for its own.",
    "properties": {"shares": {"type": "string"}, "type": False},
    "required": ["shares"],
}


@dataclasses.dataclass(frozen=True, slots=True)
class InputSpec:
    """What one example looks like; null is a size that varies.

    `dtype`: `int32` for token ids (implied before an embedding); otherwise the weights' precision.
    """

    shape: tuple[Positive | None, ...]
    dtype: Literal["float32", "int32"] | None = if_given()


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkSpec:
    """Layers in sequence, or a graph: layers that name their `inputs`.

    `input` may be left out where a dataset gives it; `inputs` are several by name. `outputs` are
    layers, by default the one that no other reads.
    """

    layers: tuple[Layer, ...] = dataclasses.field(metadata={"or_items": _SHARING})
    input: InputSpec | None = None
    inputs: dict[str, InputSpec] | None = if_given()
    outputs: tuple[str, ...] | None = if_given()

    @property
    def sources(self) -> dict[str, InputSpec]:
        """The inputs by name."""
        if self.inputs is not None:
            return self.inputs
        return {INPUT: self.input} if self.input else {}

    def pointer(self, source: str) -> str:
        """Where the document describes an input."""
        return f"/inputs/{source}" if self.inputs is not None else "/input"


def read_spec(document: object, input_shape: Shape | None) -> NetworkSpec:
    """The network of a document, every layer named; `input_shape` stands in for its input.

    Raises ArchitectureError.
    """
    _check_size(document)
    try:
        spec = parse(NetworkSpec, _spelled_out(document))
    except DocumentError as error:
        raise ArchitectureError(error.pointer, error.detail) from None
    if not spec.layers:
        raise ArchitectureError("/layers", "a network needs at least one layer")
    if spec.input is None and spec.inputs is None and input_shape is not None:
        spec = dataclasses.replace(spec, input=InputSpec(tuple(input_shape)))
    _check_sources(spec)
    return dataclasses.replace(spec, layers=_named(spec))


def _check_size(document: object) -> None:
    for field, most in (("layers", MOST_LAYERS), ("inputs", MOST_INPUTS)):
        parts = document.get(field) if isinstance(document, Mapping) else None
        if isinstance(parts, list | tuple | Mapping) and len(parts) > most:
            raise ArchitectureError(f"/{field}", f"may be {most:,} at most, got {len(parts):,}")


def _check_sources(spec: NetworkSpec) -> None:
    if spec.input is not None and spec.inputs is not None:
        raise ArchitectureError("/inputs", 'give "input" or "inputs", not both')
    if not spec.sources:
        pointer = "/inputs" if spec.inputs is not None else "/input"
        example = '{"shape": [8, 8, 1]}'
        one = example if spec.inputs is None else f'{{"image": {example}}}'
        raise ArchitectureError(pointer, f"is required here, e.g. {one} for images of 8 x 8 pixels")
    for name, source in spec.sources.items():
        pointer = spec.pointer(name)
        _check_name(name, pointer)
        if not source.shape:
            raise ArchitectureError(f"{pointer}/shape", "needs at least one size, e.g. [4]")
        check_axes(source.shape, f"{pointer}/shape")


def _named(spec: NetworkSpec) -> tuple[Layer, ...]:
    owners: dict[str, str] = dict.fromkeys(spec.sources, "an input")
    for index, layer in enumerate(spec.layers):
        if layer.name is not None:
            _claim(owners, layer.name, index)
    naming = _Naming(set(owners))
    return tuple(
        dataclasses.replace(layer, name=naming.name(layer.type_name, layer.name))
        for layer in spec.layers
    )


def _claim(owners: dict[str, str], name: str, index: int) -> None:
    pointer = f"/layers/{index}/name"
    _check_name(name, pointer)
    if name == NETWORK:
        raise ArchitectureError(pointer, f'"{NETWORK}" begins the names of weights that all share')
    if name in owners:
        raise ArchitectureError(
            pointer, f'"{name}" is the name of {owners[name]} too; names must differ'
        )
    owners[name] = f"layers[{index}]"


def _check_name(name: str, pointer: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", name):
        raise ArchitectureError(pointer, "must be 1 to 100 letters, digits, underscores or hyphens")


class _Naming:
    """Gives layers their names in the document's order."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._counts: dict[str, int] = {}

    def name(self, type_name: str, given: str | None) -> str:
        """The given name, else the type and the next number that is free."""
        name = given
        while name is None or (given is None and name in self._taken):
            self._counts[type_name] = self._counts.get(type_name, 0) + 1
            name = f"{type_name}_{self._counts[type_name]}"
        return name


def _spelled_out(document: object) -> object:
    """The document with `{"shares": "dense_1"}`, which has no type, given that layer's fields."""
    layers = document.get("layers") if isinstance(document, Mapping) else None
    if not isinstance(layers, list | tuple) or not any(map(_is_bare, layers)):
        return document
    assert isinstance(document, Mapping)
    known = {
        layer["name"]: layer
        for layer in layers
        if isinstance(layer, Mapping) and isinstance(layer.get("name"), str)
    }
    naming, spelled = _Naming(set(known)), []
    for index, layer in enumerate(layers):
        whole = _from_owner(layer, known, index) if _is_bare(layer) else layer
        spelled.append(whole)
        known.setdefault(naming.name(*_head(whole)), whole)
    return {**document, "layers": spelled}


def _is_bare(layer: object) -> bool:
    return isinstance(layer, Mapping) and "type" not in layer and "shares" in layer


def _head(layer: Any) -> tuple[str, str | None]:
    if not isinstance(layer, Mapping):
        return str(layer), None
    name = layer.get("name")
    return str(layer.get("type")), name if isinstance(name, str) else None


def _from_owner(
    layer: Mapping[str, Any], known: Mapping[str, Any], index: int
) -> Mapping[str, Any]:
    owner = known.get(layer["shares"]) if isinstance(layer["shares"], str) else None
    if owner is None or _is_bare(owner):
        raise ArchitectureError(
            f"/layers/{index}/shares",
            "must name a layer above, or one with a name of its own, whose weights are used here "
            'as well; or give this layer a "type"',
        )
    fields = {"type": owner} if isinstance(owner, str) else dict(owner)
    for own in ("name", "inputs"):
        fields.pop(own, None)
    return {**fields, **layer}
