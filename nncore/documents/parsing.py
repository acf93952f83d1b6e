"""From a JSON document to the dataclass that its type hints describe."""

from __future__ import annotations

import math
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from nncore import registry
from nncore.documents.hints import (
    LARGEST_INTEGER,
    Field,
    article,
    expected,
    fields_of,
    is_annotated,
    is_mapping,
    is_union,
    plain,
    resembles,
    shown,
)
from nncore.errors import DocumentError, did_you_mean, step_into

T = TypeVar("T")
_DEEPEST = 32


def parse(cls: type[T], document: object, pointer: str = "") -> T:
    """Read a document into `cls` (a dataclass, or a kind whose units carry a `type`).

    Raises DocumentError with a pointer below `pointer` at the first mistake.
    """
    return cast(T, _value(cls, document, pointer))


def _value(hint: Any, document: object, pointer: str) -> Any:
    if is_annotated(hint):
        return _limited(hint, document, pointer)
    if is_union(hint):
        return _value(_option(hint, document, pointer), document, pointer)
    if not resembles(hint, document):
        raise _mismatch(hint, document, pointer)
    if hint in (int, float):
        return _number(hint, document, pointer)
    if typing.get_origin(hint) is Literal:
        return _literal(hint, cast(str, document), pointer)
    if typing.get_origin(hint) is tuple:
        return _items(hint, cast(list[object], document), pointer)
    if is_mapping(hint):
        return _members(hint, cast(Mapping[object, object], document), pointer)
    if isinstance(document, hint):
        return document
    if registry.is_kind(hint):
        return _unit(hint, cast(Mapping[str, object] | str, document), pointer)
    return _object(hint, cast(Mapping[str, object], document), pointer)


def _mismatch(hint: Any, document: object, pointer: str) -> DocumentError:
    return DocumentError(pointer, f"expected {expected(hint)}, got {shown(document)}")


def _limited(hint: Any, document: object, pointer: str) -> Any:
    value = _value(plain(hint), document, pointer)
    for limit in typing.get_args(hint)[1:]:
        if not limit.admits(value):
            raise DocumentError(pointer, f"must be {limit.words()}, got {shown(value)}")
    return value


def _option(hint: Any, document: object, pointer: str) -> Any:
    options = [option for option in typing.get_args(hint) if resembles(option, document)]
    if not options:
        raise _mismatch(hint, document, pointer)
    # A unit says its type; any other object that could be one holds units by name.
    if isinstance(document, Mapping) and "type" not in document and is_mapping(options[-1]):
        return options[-1]
    return options[0]


def _number(hint: type, document: Any, pointer: str) -> int | float:
    if hint is int and abs(document) > LARGEST_INTEGER:
        raise DocumentError(pointer, "is too large for a 64-bit integer")
    try:
        number = cast(float, hint(document))
    except OverflowError:
        raise DocumentError(pointer, "is too large for a floating-point number") from None
    if not math.isfinite(number):
        raise DocumentError(pointer, f"must be finite, got {number}")
    return number


def _literal(hint: Any, document: str, pointer: str) -> str:
    choices = typing.get_args(hint)
    if document not in choices:
        raise DocumentError(
            pointer,
            f"expected {expected(hint)}, got {shown(document)}{did_you_mean(document, choices)}",
        )
    return document


def _items(hint: Any, document: list[object], pointer: str) -> tuple[Any, ...]:
    hints = typing.get_args(hint)
    if Ellipsis in hints:
        hints = (hints[0],) * len(document)
    elif len(hints) != len(document):
        raise _mismatch(hint, document, pointer)
    return tuple(
        _value(item, value, step_into(pointer, index))
        for index, (item, value) in enumerate(zip(hints, document, strict=True))
    )


def _members(hint: Any, document: Mapping[object, object], pointer: str) -> dict[str, Any]:
    # Python's users write {0: 1.0}, as Keras does; in JSON the same names are strings.
    _, item = typing.get_args(hint)
    return {
        str(name): _value(item, value, step_into(pointer, str(name)))
        for name, value in document.items()
    }


def _unit(kind: type, document: Mapping[str, object] | str, pointer: str) -> Any:
    noun = kind.__name__.lower()
    known = sorted(registry.units(kind))
    if isinstance(document, str):
        document, tag = {"type": document}, pointer
    else:
        tag = step_into(pointer, "type")
    name = document.get("type")
    if name is None:
        raise DocumentError(tag, f"is required; known: {', '.join(known)}")
    if not isinstance(name, str):
        raise _mismatch(str, name, tag)
    if name not in known:
        raise DocumentError(
            tag,
            f"{shown(name)} is not {article(noun)}{did_you_mean(name, known)}; "
            f"known: {', '.join(known)}",
        )
    fields = {key: value for key, value in document.items() if key != "type"}
    return _object(registry.units(kind)[name], fields, pointer)


def _object(cls: type, document: Mapping[str, object], pointer: str) -> Any:
    if pointer.count("/") > _DEEPEST:
        raise DocumentError(pointer, f"is nested too deeply; {_DEEPEST} levels are allowed")
    fields = fields_of(cls)
    _refuse_unknown(fields, document, pointer)
    values = {}
    for field in fields:
        place = step_into(pointer, field.name)
        if field.name in document:
            values[field.name] = _value(field.hint, document[field.name], place)
        elif field.required:
            raise DocumentError(place, f"is required: {expected(field.hint)}")
    try:
        return cls(**values)
    except DocumentError as error:  # fields that do not go together
        raise error.under(pointer) from None


def _refuse_unknown(
    fields: tuple[Field, ...], document: Mapping[str, object], pointer: str
) -> None:
    known = [field.name for field in fields]
    for key in document:
        if key not in known:
            place = step_into(pointer, key)
            names = ", ".join(known) or "none"
            raise DocumentError(
                place, f"unknown field{did_you_mean(str(key), known)}; known fields: {names}"
            )
