"""Arrays as nested JSON lists: {"x": [[...], ...], "y": [...]}, all with as many rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncore.preprocessing.nesting import NestingError, apparent_shape, flatten, path_of
from nncore.preprocessing.wording import join_pointer, quoted
from service.datasets.formats.array_columns import (
    Typed,
    array_column,
    check_lengths,
    refuse_nested_text,
    text_column,
)
from service.datasets.formats.errors import FormatError
from service.datasets.formats.inference import check_name
from service.datasets.formats.parsed import ParsedDataset, collect

KINDS: dict[type, str] = {int: "numbers", float: "numbers", bool: "booleans", str: "text"}


def parse_arrays(arrays: Mapping[str, object]) -> ParsedDataset:
    """Columns of nested lists. Raises FormatError with a pointer such as "/arrays/x/3"."""
    if not arrays:
        raise FormatError("there are no arrays; give at least one", "/arrays")
    columns: dict[str, Typed] = {}
    for name, nested in arrays.items():
        pointer = join_pointer("arrays", name)
        check_name(name, pointer, "an array")
        columns[name] = _column(name, nested, pointer)
    check_lengths({name: values for name, (values, _) in columns.items()}, "/arrays")
    return collect("arrays", columns)


def _column(name: str, nested: object, pointer: str) -> Typed:
    if not isinstance(nested, list):
        raise FormatError(f"is {quoted(nested)}, expected a list of rows", pointer)
    try:
        shape = apparent_shape(nested)
        if 0 in shape:
            raise FormatError(f"has the shape {list(shape)} and so no values; fill it", pointer)
        flat = flatten(nested, shape)
    except NestingError as error:
        raise FormatError(error.detail, pointer + join_pointer(*error.path)) from None
    if _kind(flat, shape, pointer) == "text":
        refuse_nested_text(name, len(shape), pointer)
        return text_column(name, flat, pointer)
    return array_column(name, _numbers(flat, shape, pointer).reshape(shape), pointer)


def _kind(flat: list[Any], shape: tuple[int, ...], pointer: str) -> str:
    kinds = {KINDS.get(kind, "") for kind in set(map(type, flat))}
    if kinds == {"text"} or kinds == {"numbers"} or kinds == {"booleans"}:
        return kinds.pop()
    first = KINDS.get(type(flat[0]))
    for i, value in enumerate(flat):
        kind = KINDS.get(type(value))
        if kind is None or kind != first:
            wanted = "a number" if first is None else f"{first} as in the first element"
            raise FormatError(
                f"is {quoted(value)}, expected {wanted}", pointer + join_pointer(*path_of(i, shape))
            )
    raise AssertionError("mixed kinds have a first other one")


def _numbers(flat: list[Any], shape: tuple[int, ...], pointer: str) -> NDArray[Any]:
    try:
        values = np.array(flat)
        if values.dtype.kind in "biuf" and np.isfinite(values).all():
            return values
    except OverflowError:
        pass
    for i, value in enumerate(flat):
        if not _fits(value):
            raise FormatError(
                f"is {quoted(value)}, too large for a 64-bit number",
                pointer + join_pointer(*path_of(i, shape)),
            )
    return np.array(flat, np.float64)


def _fits(value: int | float) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**64
    return math.isfinite(value)
