"""JSON schema (2020-12) of a document from its dataclass."""

from __future__ import annotations

import inspect
import typing
from typing import Any, Literal

from nncore import registry
from nncore.documents.hints import (
    LARGEST_INTEGER,
    NONE,
    Field,
    fields_of,
    is_annotated,
    is_mapping,
    is_union,
)
from nncore.documents.writing import value_document

_SCALARS: dict[Any, dict[str, Any]] = {
    int: {"type": "integer", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    str: {"type": "string"},
    NONE: {"type": "null"},
}


def json_schema(cls: type, references: str = "#/$defs/") -> dict[str, Any]:
    """The schema of `cls`; nested objects are under `$defs`, referred to by `references` + name."""
    definitions: dict[str, Any] = {}
    schema = _schema(cls, definitions, references)
    return {**schema, "$defs": definitions} if definitions else schema


def _schema(hint: Any, definitions: dict[str, Any], references: str) -> dict[str, Any]:
    if is_annotated(hint):
        base, *limits = typing.get_args(hint)
        keywords = [limit.keywords() for limit in limits]
        return {
            **_schema(base, definitions, references),
            **{key: bound for limit in keywords for key, bound in limit.items()},
        }
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    arguments = typing.get_args(hint)
    if is_union(hint):
        return {"anyOf": [_schema(option, definitions, references) for option in arguments]}
    if typing.get_origin(hint) is Literal:
        return {"enum": list(arguments)}
    if is_mapping(hint):
        values = _schema(arguments[1], definitions, references)
        return {"type": "object", "additionalProperties": values}
    if typing.get_origin(hint) is tuple:
        return _array(arguments, definitions, references)
    return _reference(hint, definitions, references)


def _array(items: tuple[Any, ...], definitions: dict[str, Any], references: str) -> dict[str, Any]:
    if Ellipsis in items:
        return {"type": "array", "items": _schema(items[0], definitions, references)}
    return {
        "type": "array",
        "prefixItems": [_schema(item, definitions, references) for item in items],
        "minItems": len(items),
        "maxItems": len(items),
    }


def _reference(cls: type, definitions: dict[str, Any], references: str) -> dict[str, Any]:
    name = cls.__name__
    if name not in definitions:
        # Reserved first: a wrapper layer holds layers, so the definitions may be recursive.
        definitions[name] = {}
        build = _kind if registry.is_kind(cls) else _object
        definitions[name] = build(cls, definitions, references)
    return {"$ref": references + name}


def _kind(kind: type, definitions: dict[str, Any], references: str) -> dict[str, Any]:
    units = registry.units(kind)
    bare = [
        name
        for name, unit in sorted(units.items())
        if not any(field.required for field in fields_of(unit))
    ]
    options: list[dict[str, Any]] = [{"enum": bare}] if bare else []
    for name, unit in sorted(units.items()):
        key = f"{kind.__name__}.{name}"
        definitions[key] = {}
        schema = _object(unit, definitions, references)
        schema["properties"] = {"type": {"const": name}, **schema["properties"]}
        schema["required"] = ["type", *schema.get("required", [])]
        definitions[key] = schema
        options.append({"$ref": references + key})
    return {"anyOf": options}


def _object(cls: type, definitions: dict[str, Any], references: str) -> dict[str, Any]:
    fields = fields_of(cls)
    schema: dict[str, Any] = {
        "type": "object",
        "description": inspect.getdoc(cls) or "",
        "properties": {field.name: _property(field, definitions, references) for field in fields},
        "additionalProperties": False,
    }
    required = [field.name for field in fields if field.required]
    return {**schema, "required": required} if required else schema


def _property(field: Field, definitions: dict[str, Any], references: str) -> dict[str, Any]:
    schema = _schema(field.hint, definitions, references)
    if field.or_items is not None:
        schema["items"] = {"anyOf": [schema["items"], dict(field.or_items)]}
    return schema if field.required else {**schema, "default": value_document(field.default)}
