"""Which columns become the network's input, and the shape that they give."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from service.errors import Invalid, Mistake, escape
from service.jobs.schemas import Features

MAX_AXES = 8
MAX_HINTS = 3  # searching a wide table for a similar name takes a while
Column = Mapping[str, Any]  # a column's description, as the dataset's answer shows it


@dataclass(frozen=True, slots=True)
class Inputs:
    """The chosen columns: `shape` of one encoded example, and what to tell the owner."""

    names: list[str]
    shape: tuple[int, ...]
    warnings: list[str]


def choose(features: Features, columns: Sequence[Column], target: str | None) -> Inputs:
    """The feature columns in order; raises Invalid with pointers into the job."""
    known = {column["name"]: column for column in columns}
    mistakes = []
    warnings: list[str] = []
    if features.include is None:
        names = [name for name in known if name != target]
        free_text = [name for name in names if known[name]["type"] == "text"]
        names = [name for name in names if name not in free_text]
        if free_text:
            warnings.append(f"Left out as free text: {', '.join(free_text)}.")
    else:
        names = features.include
        mistakes += _check_included(names, known, target)
    mistakes += _check_options(features, names, known)
    if mistakes:
        raise Invalid(*mistakes)
    if not names:
        raise Invalid(Mistake("/features/include", "no column is left to learn from"))
    return Inputs(names, _shape([known[name] for name in names]), warnings)


def unknown_column(name: str, known: Mapping[str, Column], *, hint: bool = True) -> str:
    """A sentence that says which columns there are, and which one may have been meant."""
    close = get_close_matches(name[:200], known, n=1) if hint else []
    meant = f" Did you mean {close[0]!r}?" if close else ""
    shown = ", ".join(list(known)[:8]) + (", ..." if len(known) > 8 else "")
    return f"the dataset has no column {name[:200]!r}.{meant} It has: {shown}"


def _check_included(
    names: list[str], known: Mapping[str, Column], target: str | None
) -> list[Mistake]:
    mistakes: list[Mistake] = []
    seen: set[str] = set()
    for index, name in enumerate(names):
        pointer = f"/features/include/{index}"
        if name not in known:
            hints = len(mistakes) < MAX_HINTS
            mistakes.append(Mistake(pointer, unknown_column(name, known, hint=hints)))
        elif name == target:
            mistakes.append(Mistake(pointer, f"{name!r} is the target; it cannot be a feature too"))
        elif name in seen:
            mistakes.append(Mistake(pointer, f"{name!r} is listed twice"))
        elif known[name]["type"] == "text":
            mistakes.append(Mistake(pointer, f"{name!r} is free text, which is not a feature yet"))
        seen.add(name)
    return mistakes


def _check_options(
    features: Features, names: list[str], known: Mapping[str, Column]
) -> list[Mistake]:
    """What the worker would find impossible to fit, found while the owner still listens."""
    mistakes: list[Mistake] = []
    included = set(names)
    for name, options in features.columns.items():
        pointer = f"/features/columns/{escape(name)}"
        kind = known[name]["type"] if name in known else None
        if kind is None:
            hints = len(mistakes) < MAX_HINTS
            mistakes.append(Mistake(pointer, unknown_column(name, known, hint=hints)))
        elif name not in included:
            mistakes.append(Mistake(pointer, f"{name!r} is not among the features"))
        elif options.scale is not None and kind in ("boolean", "category"):
            mistakes.append(Mistake(f"{pointer}/scale", f"a {kind} column has no scale"))
        elif options.missing is not None and kind == "tensor":
            mistakes.append(Mistake(f"{pointer}/missing", "an array has no missing values"))
    for name in names:
        own = features.columns.get(name)
        chosen = own.missing if own and own.missing else features.missing
        if chosen == "error" and known.get(name, {}).get("missing"):
            place = f"/columns/{escape(name)}" if own and own.missing else ""
            detail = f"{known[name]['missing']} rows have no value in {name!r}"
            mistakes.append(
                Mistake(f"/features{place}/missing", f'{detail}; choose "mean" or "zero"')
            )
    return mistakes


def _shape(columns: Sequence[Column]) -> tuple[int, ...]:
    tensors = [column for column in columns if column["type"] == "tensor"]
    if not tensors:
        return (sum(width(column) for column in columns),)
    if len(columns) > 1:
        names = ", ".join(repr(column["name"]) for column in columns)
        raise Invalid(
            Mistake(
                "/features/include",
                f"a network has one input, but these arrays are left: {names}; include one of them",
            )
        )
    return tuple(tensors[0]["shape"])


def width(column: Column) -> int:
    """How many numbers a column of a table becomes."""
    return len(column["categories"]) if column["type"] == "category" else 1


def check_input_shape(network: Mapping[str, Any], shape: tuple[int, ...]) -> None:
    """An `input.shape` that is given has as many elements as the features."""
    given = network.get("input")
    if not isinstance(given, Mapping) or not isinstance(given.get("shape"), list):
        return  # absent, or nncore says what is wrong with it
    sizes = given["shape"]
    if any(not isinstance(size, int) or isinstance(size, bool) or size < 1 for size in sizes):
        return
    if len(sizes) > MAX_AXES:
        raise Invalid(
            Mistake("/network/input/shape", f"has {len(sizes)} sizes, at most {MAX_AXES} are taken")
        )
    if math.prod(sizes) != math.prod(shape):
        raise Invalid(
            Mistake(
                "/network/input/shape",
                f"{sizes} has {math.prod(sizes)} elements, but the features give "
                f"{math.prod(shape)} numbers an example ({list(shape)}); leave `input` out or "
                "give a shape with as many elements",
            )
        )
