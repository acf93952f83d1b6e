"""What a type hint accepts from a JSON document, in code and in words."""

from __future__ import annotations

import dataclasses
import numbers
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

from nncore import registry

NONE = type(None)
LARGEST_INTEGER = 2**63 - 1  # what files and databases keep


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of a document: its type hint and its default (MISSING if required).

    A field of `if_given` is not written while it has its default. `or_items`: the schema of what
    its items may be as well, where somebody spells it out before the document is parsed.
    """

    name: str
    hint: Any
    default: Any
    if_given: bool = False
    or_items: Mapping[str, Any] | None = None

    @property
    def required(self) -> bool:
        """Whether a document must give it."""
        return self.default is dataclasses.MISSING


def if_given(default: Any = None) -> Any:
    """The default of a dataclass field that documents leave out rather than write."""
    return dataclasses.field(default=default, metadata={"if_given": True})


_FIELDS: dict[type, tuple[Field, ...]] = {}


def fields_of(cls: type) -> tuple[Field, ...]:
    """The fields of a dataclass in the order of its definition."""
    if cls not in _FIELDS:
        _FIELDS[cls] = _read_fields(cls)
    return _FIELDS[cls]


def _read_fields(cls: type) -> tuple[Field, ...]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return tuple(
        Field(
            field.name,
            hints[field.name],
            field.default
            if field.default_factory is dataclasses.MISSING
            else field.default_factory(),
            bool(field.metadata.get("if_given")),
            field.metadata.get("or_items"),
        )
        for field in dataclasses.fields(cls)
    )


def is_annotated(hint: Any) -> bool:
    """`Annotated[...]`: a type with limits."""
    return typing.get_origin(hint) is typing.Annotated


def is_union(hint: Any) -> bool:
    """`X | Y`, in either spelling."""
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def is_mapping(hint: Any) -> bool:
    """`dict[str, X]`: an object whose members are named by the user."""
    return typing.get_origin(hint) is dict


def plain(hint: Any) -> Any:
    """A hint without its limits."""
    return typing.get_args(hint)[0] if is_annotated(hint) else hint


def resembles(hint: Any, document: object) -> bool:
    """Whether a value has the JSON type that a hint asks for, its contents aside."""
    hint = plain(hint)
    if hint is NONE:
        return document is None
    if hint is bool:
        return isinstance(document, bool)
    if hint is int:
        return isinstance(document, numbers.Integral) and not isinstance(document, bool)
    if hint is float:
        return isinstance(document, numbers.Real) and not isinstance(document, bool)
    if hint is str or typing.get_origin(hint) is Literal:
        return isinstance(document, str)
    if typing.get_origin(hint) is tuple:
        return isinstance(document, list | tuple)
    if is_mapping(hint):
        return isinstance(document, Mapping)
    if registry.is_kind(hint):
        return isinstance(document, Mapping | str | hint)
    return isinstance(document, Mapping | hint)


def expected(hint: Any) -> str:
    """What a hint accepts, in words: `an integer or a list of 2 integers`."""
    hint = plain(hint)
    names = {int: "an integer", float: "a number", bool: "true or false", str: "a string"}
    if hint in names:
        return names[hint]
    if hint is NONE:
        return "null"
    if is_union(hint):
        return " or ".join(expected(option) for option in typing.get_args(hint))
    if typing.get_origin(hint) is Literal:
        return " or ".join(_as_json(choice) for choice in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        items = typing.get_args(hint)
        count = "" if Ellipsis in items else f" of {len(items)} values, each {expected(items[0])}"
        return f"a list{count}"
    if is_mapping(hint):
        return "an object by name"
    if registry.is_kind(hint):
        return f"the name of {article(hint.__name__.lower())} or an object with a type"
    return "an object"


def article(noun: str) -> str:
    """`an optimizer`, `a layer`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def shown(document: object) -> str:
    """A value as an error message shows it, never long."""
    if isinstance(document, Mapping):
        return "an object"
    if isinstance(document, list | tuple):
        return f"a list of {len(document)}"
    if isinstance(document, str):
        return _as_json(document if len(document) <= 40 else document[:37] + "...")
    if document is None or isinstance(document, bool):
        return _as_json(document)
    text = repr(document)
    return text if len(text) <= 40 else text[:37] + "..."


def _as_json(value: object) -> str:
    import json  # only messages need it

    return json.dumps(value)
