"""Writes `units.md`: every layer, loss, optimizer, ... with its formula, fields and an example.

All of it comes from the code: docstrings, type hints, and the rows of the contract tests, of which
the first one of a unit is its example (without one, its name alone).
"""

from __future__ import annotations

import inspect
import json
import runpy
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from nncore import registry
from nncore.activations import Activation
from nncore.documents.hints import Field, expected, fields_of, is_annotated, is_union
from nncore.documents.writing import value_document
from nncore.initializers import Initializer
from nncore.layers import Layer
from nncore.losses import Loss
from nncore.metrics import Metric
from nncore.optimizers import Optimizer
from nncore.regularizers import Regularizer
from nncore.schedules import Schedule

PAGE = Path(__file__).with_name("units.md")
_CHECKOUT = PAGE.parents[1]
_WIDTH = 100

_INTRODUCTION = """\
# Layers, losses, optimizers and everything else with a name

A unit is written as an object with a `type`, or as its name alone where no field is required:
`"adam"` is `{"type": "adam"}`. Shapes are those of one example; in the formulas N counts the
examples, and the batch is axis 0 where axes are counted. This page is made by `make docs`.
"""

_KINDS: dict[type[registry.Unit], tuple[str, str]] = {
    Layer: (
        "Layers",
        "In a network's `layers`; [networks.md](networks.md) shows how they are joined.",
    ),
    Activation: ("Activations", "In the field `activation` of a layer, or a layer of its own."),
    Initializer: ("Initializers", "In fields such as `kernel_initializer`."),
    Regularizer: ("Regularizers", "In fields such as `kernel_regularizer`; added to the loss."),
    Loss: ("Losses", "In a training configuration."),
    Optimizer: ("Optimizers", "In a training configuration."),
    Schedule: ("Schedules", "In a training configuration; factors of the learning rate."),
    Metric: ("Metrics", "In a training configuration; figures beside the loss."),
}
_OF_ALL: dict[type[registry.Unit], tuple[Field, ...]] = {Layer: fields_of(Layer)}


def page(rows: dict[type[registry.Unit], list[Any]] | None = None) -> str:
    """The text of the page; `rows` are the contract tests' tables by kind."""
    rows = contract_rows() if rows is None else rows
    parts = [_INTRODUCTION, _contents()]
    for kind, (title, place) in _KINDS.items():
        parts += [f"## {title}\n", f"{place}\n", *_of_all(kind)]
        for name, unit in sorted(registry.units(kind).items()):
            parts += _section(name, unit, kind, rows[kind])
    return "\n".join(parts)


def contract_rows() -> dict[type[registry.Unit], list[Any]]:
    """The tables of the contract tests."""
    tests = _CHECKOUT / "tests" / "nncore"
    return {
        kind: runpy.run_path(str(tests / folder / "test_contract.py"))["CASES"]
        for kind in _KINDS
        if (folder := kind.__module__.split(".")[1])
    }


def _contents() -> str:
    lines, taken = [], [title.lower() for title, _ in _KINDS.values()]
    for kind, (title, _) in _KINDS.items():
        links = []
        for name in sorted(registry.units(kind)):
            # A heading that comes again gets a number in its address.
            links.append(f"[{name}](#{name}{f'-{again}' if (again := taken.count(name)) else ''})")
            taken.append(name)
        lines.append(f"- [{title}](#{title.lower()}): {', '.join(links)}")
    return "\n".join(lines) + "\n"


def _of_all(kind: type[registry.Unit]) -> list[str]:
    fields = _OF_ALL.get(kind, ())
    return [f"Every one of them has these fields:\n\n{_table(fields)}"] if fields else []


def _section(name: str, unit: type, kind: type[registry.Unit], rows: list[Any]) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"{inspect.getdoc(unit)}\n"
    if explanation := inspect.getdoc(inspect.getmodule(unit)):
        yield f"```text\n{explanation}\n```\n"
    common = {field.name for field in _OF_ALL.get(kind, ())}
    if fields := tuple(field for field in fields_of(unit) if field.name not in common):
        yield _table(fields)
    yield f"```json\n{_written(_example(name, kind, rows))}\n```\n"


def _table(fields: tuple[Field, ...]) -> str:
    lines = ["| field | value | default |", "|---|---|---|"]
    for field in fields:
        default = "required" if field.required else _code(value_document(field.default))
        lines.append(f"| `{field.name}` | {words(field.hint)} | {default} |")
    return "\n".join(lines) + "\n"


def words(hint: Any) -> str:
    """What a field takes, with its limits: `an integer (at least 1) or null`."""
    if is_annotated(hint):
        base, *limits = typing.get_args(hint)
        return f"{words(base)} ({' and '.join(limit.words() for limit in limits)})"
    if is_union(hint):
        parts = [words(option) for option in typing.get_args(hint)]
        return ("; or " if any(", each" in part for part in parts[:-1]) else " or ").join(parts)
    if typing.get_origin(hint) is Literal:
        return " or ".join(map(_code, typing.get_args(hint)))
    if typing.get_origin(hint) is tuple:
        items = typing.get_args(hint)
        count = "" if Ellipsis in items else f" of {len(items)}"
        return f"a list{count}, each {words(items[0])}"
    if registry.is_kind(hint):
        title = _KINDS[hint][0]
        return f"[{hint.__name__.lower()}](#{title.lower()})"
    return expected(hint)


def _code(value: Any) -> str:
    return f"`{json.dumps(value)}`"


def _example(name: str, kind: type[registry.Unit], rows: list[Any]) -> dict[str, Any]:
    """A whole document, or the part of one, that has the unit in it."""
    row: Any = next((row for row in rows if _type_of(row) == name), name)
    given = row[0] if isinstance(row, tuple) else row
    if kind is Layer:
        return _network(given, row[1])
    if kind in (Activation, Initializer, Regularizer):
        field = {Initializer: "kernel_initializer", Regularizer: "kernel_regularizer"}
        return {"type": "dense", "units": 4, field.get(kind, "activation"): given}
    field_of_config = kind.__name__.lower()
    return {"metrics": [given]} if kind is Metric else {field_of_config: given}


def _type_of(row: Any) -> str:
    given = row[0] if isinstance(row, tuple) else row
    return str(given["type"] if isinstance(given, dict) else given)


def _network(layer: dict[str, Any], shape: list[Any]) -> dict[str, Any]:
    if not isinstance(shape[0], list):
        return {"input": {"shape": shape}, "layers": [layer]}
    inputs = {f"x{place}": {"shape": part} for place, part in enumerate(shape, start=1)}
    return {"inputs": inputs, "layers": [{**layer, "inputs": list(inputs)}]}


def _written(document: dict[str, Any]) -> str:
    """JSON, the layers of a network on lines of their own."""
    line = json.dumps(document)
    if len(line) <= _WIDTH:
        return line
    head = {key: value for key, value in document.items() if key != "layers"}
    layers = ",\n".join(f"  {json.dumps(layer)}" for layer in document.get("layers", ()))
    return f'{json.dumps(head)[:-1]}, "layers": [\n{layers}]}}' if layers else line


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(_CHECKOUT)}\n")


if __name__ == "__main__":
    main()
