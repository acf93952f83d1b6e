"""Arrays as columns: one axis makes number, boolean, category or text; more make a tensor."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncore.preprocessing.wording import listed, quoted
from service.datasets.formats.errors import FormatError
from service.datasets.formats.inference import (
    first_inexact,
    objects,
    storable,
    text_type,
    too_many_categories,
)

CHUNK_ELEMENTS = 1 << 22

Typed = tuple[NDArray[Any], str]


def check_lengths(arrays: Mapping[str, NDArray[Any]], pointer: str) -> None:
    """All arrays must have as many rows. Raises FormatError naming two that differ."""
    names = list(arrays)
    first = names[0]
    for name in names[1:]:
        if len(arrays[name]) != len(arrays[first]):
            raise FormatError(
                f"the arrays have different numbers of rows: {quoted(first)} has"
                f" {len(arrays[first])}, {quoted(name)} has {len(arrays[name])}; the first axis is"
                " the rows and must be the same",
                pointer,
            )


def array_column(name: str, values: NDArray[Any], pointer: str) -> Typed:
    """A column from an array (N, ...) with N > 0. Raises FormatError for what cannot be one."""
    if values.dtype.kind in "US":
        refuse_nested_text(name, values.ndim, pointer)
        return text_column(name, _decoded(name, values, pointer), pointer)
    refuse_non_finite(name, values, pointer)
    if values.ndim > 1:
        return values, "tensor"
    if values.dtype.kind == "b":
        return values.astype(np.float64), "boolean"
    position = first_inexact(values) if values.dtype.kind in "iu" else None
    if position is not None:
        raise FormatError(
            f"the array {quoted(name)} holds {values[position]} at index {position}, beyond 2^53"
            " where floats skip whole numbers; save ids as text",
            pointer,
        )
    return values.astype(np.float64), "number"


def refuse_non_finite(name: str, values: NDArray[Any], pointer: str) -> None:
    """Raise FormatError with the index of the first NaN or infinity."""
    if values.dtype.kind != "f":
        return
    flat = values.reshape(-1)
    for start in range(0, flat.size, CHUNK_ELEMENTS):
        wrong = ~np.isfinite(flat[start : start + CHUNK_ELEMENTS])
        if wrong.any():
            place = np.unravel_index(start + int(wrong.argmax()), values.shape)
            index = [int(i) for i in place]
            raise FormatError(
                f"the array {quoted(name)} holds {values[place]} at index {index}; replace NaN and"
                " infinity by numbers, or drop these rows",
                pointer,
            )


def declare(name: str, column: Typed, wanted: str, pointer: str) -> Typed:
    """The column as a declared type, where numbers can be read so. Raises FormatError."""
    values, kind = column
    if kind == wanted:
        return column
    if kind in ("category", "text") and wanted in ("category", "text"):
        reason = too_many_categories(Counter(values)) if wanted == "category" else None
        if reason is None:
            return values, wanted
        raise FormatError(f"the array {quoted(name)} {reason}", pointer)
    if kind == "number" and wanted == "category" and (values % 1 == 0).all():
        texts = objects(str(int(value)) for value in values)
        return declare(name, (texts, "text"), wanted, pointer)
    if kind == "number" and wanted == "boolean" and np.isin(values, (0, 1)).all():
        return values, wanted
    raise FormatError(
        f"the array {quoted(name)} holds values of type {quoted(kind)}, which cannot be read as"
        f" {quoted(wanted)}",
        pointer,
    )


def refuse_nested_text(name: str, dimensions: int, pointer: str) -> None:
    """Raise FormatError for text that is not one value per row."""
    if dimensions > 1:
        raise FormatError(
            f"the array {quoted(name)} holds text in {dimensions} dimensions; text must have one,"
            " a value per row",
            pointer,
        )


def text_column(name: str, texts: list[str], pointer: str) -> Typed:
    """A category or text column. Raises FormatError for characters that are no text."""
    counts = Counter(texts)
    wrong = [text for text in counts if not storable(text)]
    if wrong:
        raise FormatError(
            f"the array {quoted(name)} holds characters that are no text: {listed(wrong)}", pointer
        )
    return objects(texts), text_type(counts)


def _decoded(name: str, values: NDArray[Any], pointer: str) -> list[str]:
    try:
        if values.dtype.kind == "S":
            return [text.decode() for text in values.tolist()]
        if values.view(np.uint32).max() <= sys.maxunicode:  # else NumPy cannot make it a str
            return [str(text) for text in values.tolist()]
        raise ValueError
    except ValueError:
        raise FormatError(
            f"the array {quoted(name)} holds bytes that are no UTF-8 text", pointer
        ) from None
