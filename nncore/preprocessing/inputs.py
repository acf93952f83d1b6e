"""From feature columns to the network's input: one float32 array, fitted on the training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncore.preprocessing.errors import PreprocessingError
from nncore.preprocessing.features import (
    Block,
    BooleanFeature,
    CategoryFeature,
    Feature,
    NumberFeature,
    TensorFeature,
    feature_from_document,
    feature_to_document,
)
from nncore.preprocessing.options import InputOptions
from nncore.preprocessing.wording import did_you_mean, join_pointer, listed, quoted

ColumnType = str | Mapping[str, Any]  # "number", or {"type": "category", "categories": [...]}


@dataclass(frozen=True, slots=True)
class InputEncoder:
    """The fitted features in order: any number of table columns, or one tensor."""

    features: tuple[Feature, ...]

    @classmethod
    def fit(
        cls,
        columns: Mapping[str, NDArray[Any]],
        types: Mapping[str, ColumnType],
        options: InputOptions | Mapping[str, Any] | None = None,
        rows: NDArray[np.int64] | None = None,
    ) -> InputEncoder:
        """Fit every column of `columns` (the features, in order) on `rows`, by default all.

        `types[name]` is a column's type or its schema entry, whose "categories" fix the one-hot
        order. Raises PreprocessingError with a pointer into `options`.
        """
        parsed = options if isinstance(options, InputOptions) else InputOptions.parse(options)
        if not columns:
            raise PreprocessingError("", "there is no feature column; include at least one")
        _check_overrides(parsed, columns)
        count = len(next(iter(columns.values())))
        chosen = np.arange(count) if rows is None else rows
        features = tuple(
            _fit(name, values, types[name], parsed, chosen) for name, values in columns.items()
        )
        _check_single_tensor(features)
        return cls(features)

    @property
    def names(self) -> tuple[str, ...]:
        """The feature columns in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def tensor(self) -> TensorFeature | None:
        """The one tensor, where the input is not a table."""
        first = self.features[0]
        return first if isinstance(first, TensorFeature) else None

    @property
    def width(self) -> int:
        """Elements of an encoded example."""
        return sum(feature.width for feature in self.features)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an encoded example: (width,) for a table."""
        return (self.width,) if self.tensor is None else self.tensor.shape

    @property
    def scales(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Offset and divisor of an encoded example, to undo the scaling: x * divisor + offset.

        One for each element of a table, where what is not a number has 0 and 1; for a tensor one,
        or one for each index of its last axis.
        """
        if self.tensor is not None:
            return self.tensor.offset, self.tensor.divisor
        pairs: list[tuple[float, float]] = []
        for feature in self.features:
            if isinstance(feature, NumberFeature):
                pairs.append((feature.offset, feature.divisor))
            else:
                pairs += [(0.0, 1.0)] * feature.width
        return tuple(offset for offset, _ in pairs), tuple(divisor for _, divisor in pairs)

    def transform(self, columns: Mapping[str, NDArray[Any]]) -> Block:
        """Encode N rows to float32 (N, *shape); columns that are no feature are ignored.

        Raises PreprocessingError for a missing column, an unknown category or an overflow.
        """
        for name in self.names:
            if name not in columns:
                raise PreprocessingError(join_pointer("columns", name), "the column is missing")
        if self.tensor is not None:
            return self.tensor.encode(columns[self.tensor.name])
        out = np.empty((len(columns[self.names[0]]), self.width), np.float32)
        start = 0
        for feature in self.features:
            if not isinstance(feature, TensorFeature):
                feature.write(columns[feature.name], out[:, start : start + feature.width])
            start += feature.width
        return out

    def to_document(self) -> dict[str, Any]:
        """The fitted encoding as JSON."""
        return {"features": [feature_to_document(feature) for feature in self.features]}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> InputEncoder:
        """The encoder of a document from `to_document`. Raises ValueError."""
        features: Sequence[Mapping[str, Any]] = document.get("features") or ()
        if not features:
            raise ValueError("not the document of a fitted input encoder: it has no features")
        return cls(tuple(feature_from_document(feature) for feature in features))


def _fit(
    name: str,
    values: NDArray[Any],
    column_type: ColumnType,
    options: InputOptions,
    rows: NDArray[np.int64],
) -> Feature:
    entry = {"type": column_type} if isinstance(column_type, str) else column_type
    match entry["type"]:
        case "number":
            return NumberFeature.fit(name, values, options, rows)
        case "boolean":
            return BooleanFeature.fit(name, values, options, rows)
        case "category":
            return CategoryFeature.fit(name, values, options, entry.get("categories"))
        case "tensor":
            return TensorFeature.fit(name, values, options, rows)
    raise PreprocessingError(
        join_pointer("columns", name),
        f"a column of type {quoted(entry['type'])} cannot be a feature of a table; leave it out"
        " of the included columns",
    )


def _check_overrides(options: InputOptions, columns: Mapping[str, Any]) -> None:
    for name in options.columns:
        if name not in columns:
            raise PreprocessingError(
                join_pointer("columns", name),
                f"{quoted(name)} is not a feature; the features are {listed(columns)}."
                + did_you_mean(name, columns.keys()),
            )


def _check_single_tensor(features: tuple[Feature, ...]) -> None:
    tensors = [feature.name for feature in features if isinstance(feature, TensorFeature)]
    if tensors and len(features) > 1:
        names = listed(feature.name for feature in features)
        raise PreprocessingError(
            "",
            f"{quoted(tensors[0])} is an array of more than one dimension and must be the only"
            f" input, but the inputs are {names}; include one",
        )
