"""A Keras 3 model, as its `to_json()` writes it, as a network document of ours.

Models inside of models are spelled out: their layers are called `<model>_<layer>`. A layer that is
called again becomes another layer that shares the first one's weights.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nncore.documents.hints import shown
from nncore.errors import ArchitectureError, step_into
from nncore.importing.keras_calls import (
    Call,
    Reference,
    calls_of,
    class_of,
    name_of,
    operation,
    references,
)
from nncore.importing.keras_layers import read_layer, trained
from nncore.importing.keras_options import member
from nncore.network import Network


def from_keras_json(text: str | bytes | Mapping[str, Any]) -> dict[str, Any]:
    """The network document of `model.to_json()`, given as text or parsed.

    Raises ArchitectureError with a pointer into the Keras document: a layer or an option that has
    no counterpart, or shapes that do not fit.
    """
    document = text if isinstance(text, Mapping) else _parsed(text)
    if not _is_model(document):
        raise ArchitectureError(
            "/class_name",
            'expected a "Sequential" or "Functional" model of Keras 3; a subclassed model has no '
            "document, build it from layers",
        )
    graph = _Graph()
    outputs = graph.model(document, "", "", None, True)
    spec = graph.document(outputs)
    if graph.inputs:
        _check(spec, graph)
    return spec


def _parsed(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ArchitectureError("", f"is no JSON: {error}") from None


def _is_model(entry: Any) -> bool:
    return (
        isinstance(entry, Mapping)
        and entry.get("class_name") in ("Sequential", "Functional", "Model")
        and isinstance(entry.get("config"), Mapping)
        and isinstance(entry["config"].get("layers"), list)
    )


def safe_name(name: str) -> str:
    """A Keras name with nothing but what names may hold here."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:100]


@dataclass
class _Graph:
    """The layers found so far; `pointers` says where each one is in the Keras document."""

    layers: list[dict[str, Any]] = field(default_factory=list)
    pointers: list[str] = field(default_factory=list)
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    input_pointers: dict[str, str] = field(default_factory=dict)
    calls: dict[str, list[str]] = field(default_factory=dict)

    def model(
        self, entry: Any, pointer: str, prefix: str, given: list[str] | None, learns: bool
    ) -> list[str]:
        """Add a model that reads `given` values (None: inputs of its own); its outputs."""
        config, place = entry["config"], step_into(pointer, "config")
        learns = learns and config.get("trainable") is not False
        if entry["class_name"] == "Sequential":
            return self._sequential(config, place, prefix, given, learns)
        return self._functional(config, place, prefix, given, learns)

    def _sequential(
        self, config: Any, pointer: str, prefix: str, given: list[str] | None, learns: bool
    ) -> list[str]:
        reads = given
        for index, entry in enumerate(config["layers"]):
            place = f"{pointer}/layers/{index}"
            if class_of(entry) != "InputLayer":
                reads = self.call(entry, place, prefix, reads or [], learns)
            elif reads is None:
                reads = [self._input(entry, place)]
        if given is None and not self.inputs and isinstance(config.get("build_input_shape"), list):
            # Built on data: the shape is known though no Input says it.
            self.inputs["input"] = {"shape": config["build_input_shape"][1:]}
            self.input_pointers["input"] = f"{pointer}/build_input_shape"
        return reads or []

    def _functional(
        self, config: Any, pointer: str, prefix: str, given: list[str] | None, learns: bool
    ) -> list[str]:
        sources = references(config.get("input_layers"), f"{pointer}/input_layers")
        outputs = references(config.get("output_layers"), f"{pointer}/output_layers")
        values = dict(zip(sources, given or (), strict=False))
        for index, entry in enumerate(config["layers"]):
            if given is None and class_of(entry) == "InputLayer":
                values[name_of(entry), 0] = self._input(entry, f"{pointer}/layers/{index}")
        waiting = calls_of(config["layers"], outputs, pointer)
        while waiting:
            waiting = self._call_ready(waiting, values, prefix, learns)
        for output in outputs:
            if output not in values:
                raise ArchitectureError(
                    f"{pointer}/output_layers", f"the model has no layer {shown(output[0])}"
                )
        return [values[output] for output in outputs]

    def _call_ready(
        self, waiting: list[Call], values: dict[Reference, str], prefix: str, learns: bool
    ) -> list[Call]:
        """Call every layer whose inputs are known; those that are left."""
        left = []
        for call in waiting:
            if any(read not in values for read in call.reads):
                left.append(call)
                continue
            reads = [values[read] for read in call.reads]
            given = self.call(call.entry, call.pointer, prefix, reads, learns)
            if len(given) != 1:
                raise ArchitectureError(
                    call.pointer, "a model of several outputs inside of a model is not supported"
                )
            values[call.gives] = given[0]
        if len(left) == len(waiting):
            raise ArchitectureError(left[0].place, "reads what no layer of the model gives")
        return left

    def call(
        self, entry: Any, pointer: str, prefix: str, reads: list[str], learns: bool
    ) -> list[str]:
        """Add one call of a layer or a model; the names of its outputs."""
        if _is_model(entry):
            inner = f"{prefix}{name_of(entry)}_"
            return self.model(entry, pointer, inner, reads, learns)
        name = safe_name(prefix + name_of(entry))
        earlier = self.calls.setdefault(pointer, [])
        if earlier:
            name = f"{name}_call_{len(earlier) + 1}"
            document: dict[str, Any] = {"name": name, "shares": earlier[0]}
        else:
            described = operation(entry, pointer) or read_layer(entry, pointer)
            document = {"type": described.pop("type"), "name": name, **described}
            if not (learns and trained(entry)):
                document["trainable"] = False
        if any(layer["name"] == name for layer in self.layers) or name in self.inputs:
            raise ArchitectureError(
                f"{pointer}/config/name", f"{shown(name)} names another layer too; rename one"
            )
        earlier.append(name)
        self.layers.append({**document, "inputs": reads})
        self.pointers.append(pointer)
        return [name]

    def document(self, outputs: list[str]) -> dict[str, Any]:
        """The document; without names of inputs where each layer reads the one above."""
        above = [*(list(self.inputs) or [""]), *(layer["name"] for layer in self.layers)]
        reads = [layer["inputs"] for layer in self.layers]
        chained = len(self.inputs) < 2 and outputs == [above[-1]]
        if chained and reads[:1] in ([[]], [above[:1]]) and reads[1:] == [[n] for n in above[1:-1]]:
            layers = [
                {key: value for key, value in layer.items() if key != "inputs"}
                for layer in self.layers
            ]
            source = dict(zip(["input"], self.inputs.values(), strict=False))
            return {**source, "layers": layers}
        return {"inputs": self.inputs, "layers": self.layers, "outputs": outputs}

    def _input(self, entry: Any, pointer: str) -> str:
        config = member(entry, "config", dict, pointer)
        name = safe_name(name_of(entry))
        shape = member(config, "batch_shape", list, f"{pointer}/config")
        if not re.match("float|bfloat|u?int|bool", str(config.get("dtype"))):
            raise ArchitectureError(
                f"{pointer}/config/dtype", f"{shown(config.get('dtype'))} is not supported"
            )
        self.inputs[name] = {"shape": shape[1:]}
        self.input_pointers[name] = pointer
        return name


def _check(spec: dict[str, Any], graph: _Graph) -> None:
    """Build the network; its errors point into the Keras document instead of ours."""
    try:
        Network.from_spec(spec)
    except ArchitectureError as error:
        raise ArchitectureError(_origin(error.pointer, graph), error.detail) from None


def _origin(pointer: str, graph: _Graph) -> str:
    _, kind, *rest = [*pointer.split("/"), ""]
    if kind == "layers" and rest[0].isdigit():
        return graph.pointers[int(rest[0])] + _option(rest[1:-1])
    if kind in ("input", "inputs"):
        source = rest[0] if kind == "inputs" else next(iter(graph.input_pointers))
        return graph.input_pointers.get(source, "/config/input_layers")
    return "/config/output_layers" if kind == "outputs" else "/config"


def _option(fields: list[str]) -> str:
    """Below a layer: where Keras writes the option that is our field."""
    if fields[:1] in ([], ["inputs"], ["shares"]):
        return "/inbound_nodes" if fields else ""
    inner = _option(fields[1:]) if fields[0] == "layer" else ""
    return f"/config/{fields[0]}{inner}"
