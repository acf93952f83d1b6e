"""Rows as JSON objects: [{"age": 34, "city": "Oslo"}, ...]; null is a missing value."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from nncore.preprocessing.wording import did_you_mean, join_pointer, listed, quoted
from service.datasets.formats.array_columns import Typed
from service.datasets.formats.errors import FormatError
from service.datasets.formats.inference import (
    LARGEST_EXACT,
    check_name,
    objects,
    storable,
    text_type,
)
from service.datasets.formats.parsed import ParsedDataset, collect

KINDS: dict[type, str] = {int: "number", float: "number", bool: "boolean", str: "text"}


def parse_rows(rows: Sequence[object]) -> ParsedDataset:
    """Columns of rows that all have the keys of the first.

    Raises FormatError with a pointer such as "/rows/3/age".
    """
    if not rows:
        raise FormatError("there are no rows; give at least one", "/rows")
    checked = [_checked_row(row, i) for i, row in enumerate(rows)]
    names = list(checked[0])
    if not names:
        raise FormatError("the row has no columns; give at least one", "/rows/0")
    for name in names:
        check_name(name, "/rows/0" + join_pointer(name), "a column")
    for i, row in enumerate(checked):
        if row.keys() != checked[0].keys():
            raise _key_error(row, names, i)
    return collect("rows", {name: _column(name, [row[name] for row in checked]) for name in names})


def _checked_row(row: object, position: int) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise FormatError(
            f'is {quoted(row)}, expected an object of columns such as {{"age": 34}}',
            join_pointer("rows", position),
        )
    return row


def _key_error(row: dict[str, Any], names: list[str], position: int) -> FormatError:
    for name in names:
        if name not in row:
            return FormatError(
                f"the column {quoted(name)} is missing; write null for an unknown value",
                join_pointer("rows", position, name),
            )
    extra = next(name for name in row if name not in names)
    return FormatError(
        f"the first row has no column {quoted(extra)}; every row needs the same columns,"
        f" {listed(names)}.{did_you_mean(extra, names)}",
        join_pointer("rows", position, extra),
    )


def _column(name: str, values: list[Any]) -> Typed:
    kind = _kind(name, values)
    if kind == "text":
        counts = Counter(value for value in values if value is not None)
        for text in counts:
            if not storable(text):
                detail = f"{quoted(text)} holds a character that is no text"
                raise _error(name, values.index(text), detail)
        return objects(values), text_type(counts)
    if kind == "number":
        _check_numbers(name, values)
    filled = [math.nan if value is None else value for value in values]
    return np.array(filled, np.float64), kind


def _kind(name: str, values: list[Any]) -> str:
    """The one kind of all values that are not null. Raises FormatError at the first other."""
    kinds = {KINDS.get(kind, "") for kind in set(map(type, values)) - {type(None)}}
    if len(kinds) <= 1 and "" not in kinds:
        return kinds.pop() if kinds else "number"
    expected: str | None = None
    for i, value in enumerate(values):
        if value is None:
            continue
        kind = KINDS.get(type(value))
        if kind is None:
            detail = f"is {quoted(value)}, expected a number, a text, true, false or null"
            raise _error(name, i, detail)
        expected = expected or kind
        if kind != expected:
            detail = f"is {quoted(value)}, but the rows above have values of type {expected}"
            raise _error(name, i, f"{detail}; use one type in a column")
    return "number"


def _check_numbers(name: str, values: list[Any]) -> None:
    for i, value in enumerate(values):
        if value is None:
            continue
        if isinstance(value, int):
            if abs(value) > LARGEST_EXACT:
                detail = f"{quoted(value)} is beyond 2^53 and would lose digits; write ids as text"
                raise _error(name, i, detail)
        elif not math.isfinite(value):
            raise _error(name, i, "the number is not finite; write null for an unknown value")


def _error(name: str, position: int, detail: str) -> FormatError:
    return FormatError(detail, join_pointer("rows", position, name))
