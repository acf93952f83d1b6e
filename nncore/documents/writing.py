"""From a dataclass back to its JSON document, every default filled in."""

from __future__ import annotations

from typing import Any

from nncore import registry
from nncore.documents.hints import fields_of


def to_document(instance: Any) -> dict[str, Any]:
    """The JSON object that parses into an equal instance, with every default filled in."""
    document = {
        field.name: value_document(getattr(instance, field.name))
        for field in fields_of(type(instance))
        if not (field.if_given and getattr(instance, field.name) == field.default)
    }
    return (
        {"type": instance.type_name, **document}
        if isinstance(instance, registry.Unit)
        else document
    )


def value_document(value: Any) -> Any:
    """The JSON value of a field's value."""
    if isinstance(value, tuple):
        return [value_document(item) for item in value]
    if isinstance(value, dict):
        return {name: value_document(item) for name, item in value.items()}
    if isinstance(value, registry.Unit):
        document = to_document(value)
        # A unit that writes no fields says all by its name.
        return document if len(document) > 1 else value.type_name
    return to_document(value) if hasattr(value, "__dataclass_fields__") else value
