"""The fitted encoding of one feature column: number, boolean, category or tensor.

Each kind knows how to fit itself, to write its part of the input matrix and to become JSON.
A float in JSON has the digits that Python's repr gives, so the round trip is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nncore.preprocessing.errors import PreprocessingError
from nncore.preprocessing.options import InputOptions, Missing, Scale
from nncore.preprocessing.scaling import chunks, fit_scale
from nncore.preprocessing.wording import join_pointer, listed, quoted

Rows = NDArray[np.int64]
Block = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NumberFeature:
    """A float64 (N,) column with NaN for missing; `fill`, in the column's unit, replaces NaN."""

    type: ClassVar[str] = "number"
    width: ClassVar[int] = 1
    name: str
    scale: Scale
    missing: Missing
    offset: float
    divisor: float
    fill: float

    @classmethod
    def fit(
        cls, name: str, values: NDArray[Any], options: InputOptions, rows: Rows
    ) -> NumberFeature:
        """Fit on the present values of `rows`; a column without any scales by 1."""
        scale, missing = options.scale_of(name), options.missing_of(name)
        refuse_missing(name, np.isnan(values), missing)
        part = values[rows]
        present = part[~np.isnan(part)]
        if len(present) == 0:
            return cls(name, scale, missing, offset=0.0, divisor=1.0, fill=0.0)
        try:
            offset, divisor = fit_scale(scale, lambda: iter([present[:, None]]))
            mean, _ = fit_scale("standard", lambda: iter([present[:, None]]))
        except ValueError as error:
            raise _column_error(name, str(error)) from error
        fill = float(mean[0]) if missing == "mean" else 0.0
        return cls(name, scale, missing, float(offset[0]), float(divisor[0]), fill)

    def write(self, values: NDArray[Any], out: Block) -> None:
        """Encode (N,) into `out` (N, 1)."""
        absent = np.isnan(values)
        refuse_missing(self.name, absent, self.missing)
        filled = np.where(absent, self.fill, values)
        with np.errstate(over="ignore"):
            out[:, 0] = (filled - self.offset) / self.divisor
        refuse_overflow(self.name, out)


@dataclass(frozen=True, slots=True)
class BooleanFeature:
    """A float64 (N,) column of 0, 1 and NaN, not scaled."""

    type: ClassVar[str] = "boolean"
    width: ClassVar[int] = 1
    name: str
    missing: Missing
    fill: float

    @classmethod
    def fit(
        cls, name: str, values: NDArray[Any], options: InputOptions, rows: Rows
    ) -> BooleanFeature:
        """Fit the fill value: the share of true among the present values of `rows`, or 0."""
        if "scale" in options.columns.get(name, {}):
            pointer = join_pointer("columns", name, "scale")
            raise PreprocessingError(pointer, "a boolean column is 0 or 1 and has no scale")
        missing = options.missing_of(name)
        refuse_missing(name, np.isnan(values), missing)
        part = values[rows]
        present = part[~np.isnan(part)]
        fill = float(present.mean()) if missing == "mean" and len(present) else 0.0
        return cls(name, missing, fill)

    def write(self, values: NDArray[Any], out: Block) -> None:
        """Encode (N,) into `out` (N, 1)."""
        absent = np.isnan(values)
        refuse_missing(self.name, absent, self.missing)
        out[:, 0] = np.where(absent, self.fill, values)


@dataclass(frozen=True, slots=True)
class CategoryFeature:
    """An object (N,) column of str or None; one-hot in the order of `categories`, None all zero."""

    type: ClassVar[str] = "category"
    name: str
    missing: Missing
    categories: tuple[str, ...]

    @property
    def width(self) -> int:
        """One element per category."""
        return len(self.categories)

    @classmethod
    def fit(
        cls,
        name: str,
        values: NDArray[Any],
        options: InputOptions,
        categories: Sequence[str] | None,
    ) -> CategoryFeature:
        """Take the given categories, or the sorted distinct values of the whole column."""
        if "scale" in options.columns.get(name, {}):
            pointer = join_pointer("columns", name, "scale")
            raise PreprocessingError(pointer, "a category column is one-hot and has no scale")
        if categories is None:
            categories = sorted({value for value in values if value is not None})
        feature = cls(name, options.missing_of(name), tuple(categories))
        feature.indices(values)
        return feature

    def indices(self, values: NDArray[Any]) -> Rows:
        """The category of each value as an index, -1 where it is missing."""
        places: dict[str | None, int] = {value: i for i, value in enumerate(self.categories)}
        places[None] = -1
        try:
            found = np.fromiter((places[value] for value in values), np.int64, len(values))
        except KeyError as error:
            known = listed(self.categories)
            detail = f"unknown category {quoted(error.args[0])}; the categories are {known}"
            raise _column_error(self.name, detail) from None
        refuse_missing(self.name, found < 0, self.missing)
        return found

    def write(self, values: NDArray[Any], out: Block) -> None:
        """Encode (N,) into `out` (N, width)."""
        found = self.indices(values)
        present = np.flatnonzero(found >= 0)
        out[...] = 0
        out[present, found[present]] = 1


@dataclass(frozen=True, slots=True)
class TensorFeature:
    """A (N, *shape) array; `offset` and `divisor` have one element, or one per last axis."""

    type: ClassVar[str] = "tensor"
    name: str
    shape: tuple[int, ...]
    scale: Scale
    offset: tuple[float, ...]
    divisor: tuple[float, ...]

    @property
    def width(self) -> int:
        """Elements of an example."""
        return int(np.prod(self.shape))

    @classmethod
    def fit(
        cls, name: str, values: NDArray[Any], options: InputOptions, rows: Rows
    ) -> TensorFeature:
        """Fit on `rows` in bounded parts; per last axis if 2-D or `channels_last`."""
        if "missing" in options.columns.get(name, {}):
            pointer = join_pointer("columns", name, "missing")
            raise PreprocessingError(pointer, "an array has no missing values; leave this out")
        scale = options.scale_of(name)
        last = values.shape[-1] if values.ndim == 2 or options.channels_last else 1
        if len(rows) == 0 or values.size == 0:
            scale = "none"
        try:
            offset, divisor = fit_scale(
                scale, lambda: (part.reshape(-1, last) for part in chunks(values, rows))
            )
        except ValueError as error:
            raise _column_error(name, str(error)) from error
        return cls(name, values.shape[1:], scale, tuple(offset.tolist()), tuple(divisor.tolist()))

    def encode(self, values: NDArray[Any]) -> Block:
        """(N, *shape) of any real dtype -> float32 of the same shape."""
        if values.shape[1:] != self.shape:
            got, expected = list(values.shape[1:]), list(self.shape)
            raise _column_error(self.name, f"has shape {got} per row, expected {expected}")
        if self.scale == "none":
            with np.errstate(over="ignore"):
                plain = values.astype(np.float32)
            refuse_overflow(self.name, plain)
            return plain
        out = np.empty(values.shape, np.float32)
        offset, divisor = np.array(self.offset), np.array(self.divisor)
        for source, target in zip(chunks(values), chunks(out), strict=True):
            with np.errstate(over="ignore"):
                target[...] = (source - offset) / divisor
            refuse_overflow(self.name, target)
        return out


Feature = NumberFeature | BooleanFeature | CategoryFeature | TensorFeature


def refuse_missing(name: str, absent: NDArray[np.bool_], missing: Missing) -> None:
    """Raise if `missing` is "error" and something is absent."""
    if missing == "error" and absent.any():
        first = int(absent.argmax()) + 1
        detail = (
            f'has {int(absent.sum())} missing values, the first in row {first}; choose "mean"'
            ' or "zero", or fill them in'
        )
        raise PreprocessingError(join_pointer("columns", name, "missing"), detail)


def refuse_overflow(name: str, encoded: Block) -> None:
    """Raise if an encoded value exceeds float32."""
    if not np.isfinite(encoded).all():
        raise _column_error(name, "a value is too large for float32 after scaling")


def _column_error(name: str, detail: str) -> PreprocessingError:
    return PreprocessingError(join_pointer("columns", name), detail)


def feature_to_document(feature: Feature) -> dict[str, Any]:
    """The JSON object of a fitted feature, with its type."""
    document: dict[str, Any] = {"type": feature.type}
    for field in fields(feature):
        value = getattr(feature, field.name)
        document[field.name] = list(value) if isinstance(value, tuple) else value
    return document


def feature_from_document(document: Mapping[str, Any]) -> Feature:
    """The feature of a JSON object that `feature_to_document` made. Raises ValueError."""
    kinds: dict[str, type[Feature]] = {
        kind.type: kind for kind in (NumberFeature, BooleanFeature, CategoryFeature, TensorFeature)
    }
    values: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in document.items()
    }
    try:
        return kinds[values.pop("type")](**values)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the document of a fitted feature: {error}") from error
