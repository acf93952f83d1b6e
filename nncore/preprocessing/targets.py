"""From a target column to what a loss wants, and from outputs back to labels or the own unit.

classes: labels in sorted order, y = index; binary: two labels, y = 0 or 1 as float;
standard: y = (t - mean) / deviation per output, fitted on the training rows; identity: y = t.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nncore.preprocessing.errors import PreprocessingError
from nncore.preprocessing.scaling import chunks, fit_scale
from nncore.preprocessing.wording import listed, quoted

Label = bool | int | float | str
TargetKind = Literal["classes", "binary", "standard", "identity"]


@dataclass(frozen=True, slots=True)
class TargetEncoder:
    """A fitted target; `labels` for the kinds with classes, `mean` and `deviation` for standard."""

    kind: TargetKind
    labels: tuple[Label, ...] = ()
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    @classmethod
    def fit(
        cls,
        kind: TargetKind,
        values: NDArray[Any],
        column_type: str = "number",
        rows: NDArray[np.int64] | None = None,
    ) -> TargetEncoder:
        """Fit on a column: labels on all of it, mean and deviation on `rows` (default all).

        Raises PreprocessingError for missing values, too few labels or text in a regression.
        """
        if kind not in get_args(TargetKind):
            raise ValueError(f"unknown kind of target {kind!r}")
        _refuse_missing(values)
        if kind in ("classes", "binary"):
            return cls(kind, _labels(values, column_type, kind))
        if values.dtype == object:
            raise PreprocessingError("", "the target holds text, but a regression needs numbers")
        if kind == "identity":
            return cls(kind)
        matrix = _as_matrix(values)
        last = matrix.shape[-1] if matrix.ndim == 2 else 1
        chosen = np.arange(len(values)) if rows is None else rows
        try:
            mean, deviation = fit_scale(
                "standard" if len(chosen) else "none",
                lambda: (part.reshape(-1, last) for part in chunks(matrix, chosen)),
            )
        except ValueError as error:
            raise PreprocessingError("", f"the target: {error}") from error
        return cls(kind, (), tuple(mean.tolist()), tuple(deviation.tolist()))

    def encode(self, values: NDArray[Any]) -> NDArray[Any]:
        """What the loss compares with, for N rows.

        classes: int64 (N,), or (N, ...) for an array of labels, where (N, 1) counts as (N,);
        binary: float32 (N, 1) of 0 and 1; standard, identity: float32 (N, k) or (N, ...).
        Raises PreprocessingError for a missing value or an unknown label.
        """
        _refuse_missing(values)
        if self.kind == "classes":
            return self._indices(values)
        if self.kind == "binary":
            return _as_matrix(self._indices(values).astype(np.float32))
        matrix = _as_matrix(values)
        if self.kind == "standard":
            matrix = (matrix - np.array(self.mean)) / np.array(self.deviation)
        with np.errstate(over="ignore"):
            encoded = matrix.astype(np.float32)
        if not np.isfinite(encoded).all():
            raise PreprocessingError("", "the target has values too large for float32")
        return encoded

    def decode(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """What outputs or encoded targets mean.

        classes: scores (N, C) or indices (integers of any shape) -> labels, as objects;
        binary: probabilities of the second label (N, 1) or (N,) -> labels (N,), as objects;
        standard, identity: float64 of the same shape, in the target's own unit.
        """
        if self.kind in ("classes", "binary"):
            labels: NDArray[Any] = self._choices()[self._chosen(outputs)]
            return labels
        plain = outputs.astype(np.float64)
        if self.kind == "standard":
            plain = plain * np.array(self.deviation) + np.array(self.mean)
        return plain

    def to_document(self) -> dict[str, Any]:
        """The fitted target as JSON; labels keep their type."""
        if self.kind in ("classes", "binary"):
            return {"kind": self.kind, "labels": list(self.labels)}
        if self.kind == "standard":
            scale = {"mean": list(self.mean), "deviation": list(self.deviation)}
            return {"kind": self.kind, **scale}
        return {"kind": self.kind}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> TargetEncoder:
        """The encoder of a document from `to_document`. Raises ValueError."""
        fields: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in document.items()
        }
        if fields.get("kind") not in get_args(TargetKind):
            raise ValueError(f"unknown kind of target {fields.get('kind')!r}")
        try:
            return cls(**fields)
        except TypeError as error:
            raise ValueError(f"not the document of a fitted target: {error}") from error

    def _choices(self) -> NDArray[Any]:
        choices = np.empty(len(self.labels), object)
        choices[:] = self.labels
        return choices

    def _chosen(self, outputs: NDArray[Any]) -> NDArray[Any]:
        if np.issubdtype(outputs.dtype, np.integer):
            return outputs
        if self.kind == "classes":
            return np.asarray(outputs.argmax(axis=-1))
        return np.asarray(outputs.reshape(len(outputs)) >= 0.5, np.int64)

    def _indices(self, values: NDArray[Any]) -> NDArray[np.int64]:
        flat = _squeezed(values)
        if flat.dtype == object:
            places = {label: i for i, label in enumerate(self.labels)}
            unknown = next((value for value in flat if value not in places), None)
            if unknown is None:
                return np.fromiter((places[value] for value in flat), np.int64, len(flat))
        else:
            known = np.array(self.labels, np.float64)
            found = np.searchsorted(known, flat).clip(0, len(known) - 1)
            wrong = known[found] != flat
            if not wrong.any():
                return found
            unknown = float(flat[wrong][0])
        raise PreprocessingError(
            "", f"unknown label {quoted(unknown)}; the labels are {listed(self.labels)}"
        )


def _labels(values: NDArray[Any], column_type: str, kind: str) -> tuple[Label, ...]:
    labels: list[Label]
    if values.dtype == object:
        labels = sorted(set(values))
    else:
        distinct = np.unique(values).astype(np.float64).tolist()
        if column_type == "boolean" or values.dtype == np.bool_:
            labels = [bool(value) for value in distinct]
        elif all(value.is_integer() for value in distinct):
            labels = [int(value) for value in distinct]
        else:
            labels = distinct
    if len(labels) < 2:
        only = f"only the label {listed(labels)}" if labels else "no label"
        raise PreprocessingError("", f"the target has {only}; a classifier needs two or more")
    if kind == "binary" and len(labels) != 2:
        detail = f"the target has {len(labels)} labels ({listed(labels)}), expected two"
        raise PreprocessingError("", detail)
    return tuple(labels)


def _refuse_missing(values: NDArray[Any]) -> None:
    if values.dtype == object:
        absent = np.fromiter((value is None for value in values), np.bool_, len(values))
    elif np.issubdtype(values.dtype, np.floating):
        absent = np.isnan(values).reshape(len(values), -1).any(axis=1)
    else:
        return
    if absent.any():
        first = int(absent.argmax()) + 1
        raise PreprocessingError(
            "",
            f"the target is missing in {int(absent.sum())} rows, the first of them row {first};"
            " fill it in or leave these rows out",
        )


def _as_matrix(values: NDArray[Any]) -> NDArray[Any]:
    return values[:, None] if values.ndim == 1 else values


def _squeezed(values: NDArray[Any]) -> NDArray[Any]:
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
