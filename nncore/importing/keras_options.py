"""How the options of one Keras object become the fields of one of our units."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nncore.documents.hints import shown
from nncore.errors import ArchitectureError, step_into

Reader = Callable[[Any, str], Any]
"""From an option's value and its pointer to our value; raises ArchitectureError."""


@dataclass(frozen=True, slots=True)
class Option:
    """Where an option goes: our field, or nowhere (None) if it is read only to be checked."""

    field: str | None
    read: Reader


Options = dict[str, Option]


def as_it_is(value: Any, _: str) -> Any:
    """The same value means the same thing."""
    return value


def alike(value: Any, pointer: str) -> Any:
    """One size along every axis, `[3, 3]` or `[[1, 1], [1, 1]]`, as one number."""
    if isinstance(value, list) and value:
        parts = [alike(part, pointer) for part in value]
        return parts[0] if all(part == parts[0] for part in parts) else value
    return value


def only(allowed: Any, mend: str) -> Reader:
    """A reader that accepts one value, the one that changes nothing."""

    def read(value: Any, pointer: str) -> None:
        if value != allowed:
            raise ArchitectureError(
                pointer, f"{shown(value)} is not supported, {json.dumps(allowed)} is; {mend}"
            )

    return read


def taken(*names: str, read: Reader = as_it_is) -> dict[str, Option]:
    """Options that are called the same here."""
    return {name: Option(name, read) for name in names}


def checked(*names: str, read: Reader) -> dict[str, Option]:
    """Options that are no fields here."""
    return {name: Option(None, read) for name in names}


def renamed(name: str, field: str, read: Reader = as_it_is) -> dict[str, Option]:
    """An option that has another name here."""
    return {name: Option(field, read)}


def read_options(config: Mapping[str, Any], options: Options, pointer: str) -> dict[str, Any]:
    """The fields that a `config` at `pointer` describes."""
    fields = {}
    for name, value in config.items():
        place = step_into(pointer, name)
        if name not in options:
            known = ", ".join(sorted(name for name in options if options[name].field)) or "none"
            raise ArchitectureError(
                place,
                f"unknown option; remove it if the network does without; known options: {known}",
            )
        option = options[name]
        read = option.read(value, place)
        if option.field is not None:
            fields[option.field] = read
    return fields


def member(document: Any, key: str, kind: type, pointer: str) -> Any:
    """The member of an object, which must have it; raises ArchitectureError."""
    words = {"dict": "an object", "list": "a list", "str": "a string"}[kind.__name__]
    if not isinstance(document, Mapping):
        raise ArchitectureError(pointer, f"expected an object, got {shown(document)}")
    value = document.get(key)
    if not isinstance(value, kind):
        found = f", got {shown(value)}" if key in document else ""
        raise ArchitectureError(step_into(pointer, key), f"{words} is required here{found}")
    return value
