"""The columns of a CSV file: which type each has, and the cell that does not fit it.

A column whose cells are all numbers or missing is `number`, only true and false make `boolean`,
repeated short text is `category`, the rest `text`. Almost only numbers is taken as a slip and
refused. Whole numbers beyond 2^53 would lose digits, so a column with one is treated as text.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncore.preprocessing.wording import join_pointer, quoted
from service.datasets.formats.errors import FormatError
from service.datasets.formats.inference import (
    LARGEST_EXACT,
    objects,
    text_type,
    too_many_categories,
)

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"})
TRUTH = {"true": 1.0, "false": 0.0}
DECLARED_TRUTH = {**TRUTH, "1": 1.0, "0": 0.0}
NUMERIC_SHARE = 0.9
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
LOCALISED = re.compile(r"[+-]?\d[\d.,']*,\d+", re.ASCII)

Typed = tuple[NDArray[Any], str]


@dataclass(slots=True)
class ColumnBuilder:
    """Gathers one column block by block: as numbers for as long as they are, else as text.

    `stale` says that text appeared after blocks of numbers, whose text has to be read again.
    """

    name: str
    declared: str | None = None
    numbers: list[NDArray[np.float64]] = field(default_factory=list)
    texts: list[str | None] | None = None
    stale: bool = False
    pool: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.declared not in (None, "number"):
            self.texts = []

    def add(self, cells: tuple[str, ...]) -> None:
        """Take the cells of the next block."""
        if self.stale:
            return
        if self.texts is None:
            block = read_numbers(cells)
            if block is not None:
                self.numbers.append(block)
                return
            self.texts = []
            if self.numbers:
                self.stale = True
                self.numbers.clear()
                return
        self.add_texts(cells)

    def add_texts(self, cells: tuple[str, ...]) -> None:
        """Take cells as text, equal ones shared."""
        trimmed = [cell.strip() for cell in cells]
        pooled = self.pool.setdefault
        self.texts = self.texts or []
        self.texts += [None if cell in MISSING else pooled(cell, cell) for cell in trimmed]

    def finish(self, lines: array[int]) -> Typed:
        """The column and its type; `lines` has the line of each row. Raises FormatError."""
        if self.texts is None:
            return np.concatenate(self.numbers), "number"
        column = TextColumn(self.name, self.texts, lines)
        return column.declared(self.declared) if self.declared else column.inferred()


def read_numbers(cells: tuple[str, ...]) -> NDArray[np.float64] | None:
    """The cells as float64 with NaN for missing; None if one is text, infinite or inexact."""
    joined = "".join(cells)
    if "_" in joined or not joined.isascii():  # float() would take 1_000 and other scripts' digits
        return None
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        filled = ("nan" if cell.strip() in MISSING else cell for cell in cells)
        try:
            values = np.fromiter(map(float, filled), np.float64, len(cells))
        except ValueError:
            return None
    if np.isinf(values).any():
        return None
    for position in np.flatnonzero(np.abs(values) >= LARGEST_EXACT):
        if kind_of(cells[position].strip()) == "inexact":
            return None
    return values


def kind_of(text: str) -> str:
    """`number`, `infinite`, `inexact` (a whole number with too many digits), or `text`."""
    if INFINITE.fullmatch(text):
        return "infinite"
    if not NUMBER.fullmatch(text):
        return "text"
    value = float(text)
    if math.isinf(value):
        return "infinite"
    if abs(value) >= LARGEST_EXACT and WHOLE.fullmatch(text):
        return "number" if _exact(text, value) else "inexact"
    return "number"


def _exact(text: str, value: float) -> bool:
    return len(text) < 400 and int(text) == int(value)


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column held as text, and the decision what it is."""

    name: str
    texts: list[str | None]
    lines: array[int]

    def inferred(self) -> Typed:
        """The type that its values suggest. Raises FormatError at a slip."""
        counts = self._counts()
        kinds = {text: kind_of(text) for text in counts}
        if all(kind == "number" for kind in kinds.values()):
            return self._numbers(), "number"
        if all(text.lower() in TRUTH for text in counts):
            return self._mapped(lambda text: TRUTH[text.lower()]), "boolean"
        self._refuse_slips(counts, kinds)
        return objects(self.texts), text_type(counts)

    def declared(self, kind: str) -> Typed:
        """The column as the schema wants it. Raises FormatError at a value that does not fit."""
        counts = self._counts()
        if kind == "number":
            readable = ("number", "inexact")  # whoever declares a number accepts its rounding
            self._demand(lambda text: kind_of(text) in readable, "a finite number", kind)
            return self._numbers(), kind
        if kind == "boolean":
            self._demand(lambda text: text.lower() in DECLARED_TRUTH, "true or false", kind)
            return self._mapped(lambda text: DECLARED_TRUTH[text.lower()]), kind
        reason = too_many_categories(counts) if kind == "category" else None
        if reason is not None:
            raise FormatError(
                f"the column {quoted(self.name)} {reason}", join_pointer("schema", self.name)
            )
        return objects(self.texts), kind

    def _counts(self) -> Counter[str]:
        return Counter(text for text in self.texts if text is not None)

    def _numbers(self) -> NDArray[np.float64]:
        return self._mapped(float)

    def _mapped(self, read: Callable[[str], float]) -> NDArray[np.float64]:
        values = (math.nan if text is None else read(text) for text in self.texts)
        return np.fromiter(values, np.float64, len(self.texts))

    def _refuse_slips(self, counts: Counter[str], kinds: dict[str, str]) -> None:
        """Refuse what is meant as a number column: infinities, decimal commas, stray text."""
        if "inexact" in kinds.values():
            return
        numbers = sum(counts[text] for text, kind in kinds.items() if kind == "number")
        others = [text for text, kind in kinds.items() if kind == "text"]
        if not others:
            raise self._cell_error(
                lambda text: kinds[text] == "infinite",
                "is not finite; correct it or leave the cell empty",
            )
        if all(LOCALISED.fullmatch(text) for text in others):
            raise self._cell_error(
                lambda text: kinds[text] == "text",
                "has a comma; write numbers with a decimal point and without separators",
            )
        lone = len(others) == 1 and numbers > counts[others[0]]
        if numbers >= 2 and (lone or numbers >= NUMERIC_SHARE * counts.total()):
            raise self._cell_error(
                lambda text: kinds[text] != "number",
                "is not a number, but almost all others are; correct it, leave the cell empty, or"
                f' declare the column with the schema {{{quoted(self.name)}: "category"}}',
            )

    def _demand(self, fits: Callable[[str], bool], wanted: str, kind: str) -> None:
        if any(text is not None and not fits(text) for text in self.texts):
            reason = f"is not {wanted}, as the schema's {quoted(kind)} demands"
            pointer = join_pointer("schema", self.name)
            raise self._cell_error(lambda text: not fits(text), reason, pointer)

    def _cell_error(
        self, wrong: Callable[[str], bool], reason: str, pointer: str = "/file"
    ) -> FormatError:
        row, text = next(
            (row, text) for row, text in enumerate(self.texts) if text is not None and wrong(text)
        )
        place = f"line {self.lines[row]}, column {quoted(self.name)}"
        return FormatError(f"{place}: {quoted(text)} {reason}", pointer)
