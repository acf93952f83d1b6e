"""Rules that all formats share: column names, category or text, whole numbers that fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncore.preprocessing.wording import did_you_mean, join_pointer, listed, quoted
from service.datasets.formats.errors import FormatError

MOST_CATEGORIES = 1000
FEW_VALUES = 20
LONGEST_CATEGORY = 200
LARGEST_EXACT = 2**53  # beyond it a float64 skips whole numbers
LONGEST_NAME = 200
DECLARABLE = ("number", "category", "boolean", "text")


def check_name(name: str, pointer: str, place: str) -> None:
    """Refuse a column name that is empty, long, or not storable. Raises FormatError."""
    if not name.strip():
        raise FormatError(f"{place} has no name; every column needs one", pointer)
    if len(name) > LONGEST_NAME:
        raise FormatError(
            f"{place} has a name of {len(name)} characters; at most {LONGEST_NAME} are allowed",
            pointer,
        )
    if not storable(name):
        raise FormatError(f"the name {quoted(name)} holds a character that is no text", pointer)


def check_declared(schema: Mapping[str, str], names: Sequence[str]) -> None:
    """Refuse a declared schema with an unknown column or type. Raises FormatError."""
    for name, kind in schema.items():
        pointer = join_pointer("schema", name)
        if name not in names:
            known = f"the columns are {listed(names)}.{did_you_mean(name, names)}"
            raise FormatError(f"there is no column {quoted(name)}; {known}", pointer)
        if kind not in DECLARABLE:
            raise FormatError(
                f"unknown type {quoted(kind)}; the types are {listed(DECLARABLE)}", pointer
            )


def storable(text: str) -> bool:
    """Whether text survives UTF-8 and SQL: no lone surrogate, no NUL."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def text_type(counts: Counter[str]) -> str:
    """`category` where values are short and few or repeat, else `text`."""
    distinct = len(counts)
    few = distinct <= FEW_VALUES or distinct <= counts.total() / 2
    short = max(map(len, counts), default=0) <= LONGEST_CATEGORY
    return "category" if few and short and distinct <= MOST_CATEGORIES else "text"


def too_many_categories(counts: Counter[str]) -> str | None:
    """Why a declared category column cannot be one, if so."""
    if len(counts) <= MOST_CATEGORIES:
        return None
    return (
        f"has {len(counts)} different values; a category column holds at most {MOST_CATEGORIES},"
        ' declare it "text" or leave it out'
    )


def objects(values: Iterable[str | None]) -> NDArray[Any]:
    """Texts as an object array."""
    held = list(values)
    array = np.empty(len(held), object)
    array[:] = held
    return array


def first_inexact(values: NDArray[Any]) -> int | None:
    """The position of the first whole number too large for float64 to be sure of, if any."""
    beyond = (values > LARGEST_EXACT) | (values < -LARGEST_EXACT)
    return int(beyond.argmax()) if beyond.any() else None
