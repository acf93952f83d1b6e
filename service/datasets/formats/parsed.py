"""A dataset as every format gives it: columns in order and their schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

GIGABYTE = 2**30


@dataclass(frozen=True, slots=True)
class ParsedDataset:
    """Columns (number, boolean: float64 with NaN; category, text: str or None; tensor: any real).

    `schema` has one {"name", "type", "shape"} per column, in order; shape is without the rows.
    """

    format: str
    columns: dict[str, NDArray[Any]]
    schema: list[dict[str, Any]]

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """What an upload may say about its file; `max_bytes` bounds the data once unpacked."""

    schema: Mapping[str, str] = field(default_factory=dict)
    header: bool = True
    max_bytes: int = 2 * GIGABYTE


def collect(format_name: str, columns: dict[str, tuple[NDArray[Any], str]]) -> ParsedDataset:
    """Columns with their types as a dataset."""
    schema = [
        {"name": name, "type": kind, "shape": list(values.shape[1:])}
        for name, (values, kind) in columns.items()
    ]
    return ParsedDataset(format_name, {name: pair[0] for name, pair in columns.items()}, schema)
