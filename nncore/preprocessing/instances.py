"""From the JSON instances of a prediction request to columns, checked against the fitted input."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncore.preprocessing.errors import InstanceError
from nncore.preprocessing.features import (
    BooleanFeature,
    CategoryFeature,
    NumberFeature,
    TensorFeature,
)
from nncore.preprocessing.inputs import InputEncoder
from nncore.preprocessing.nesting import NestingError, apparent_shape, flatten, path_of
from nncore.preprocessing.wording import did_you_mean, join_pointer, listed, quoted

Columns = dict[str, NDArray[Any]]
Refuse = Callable[[str], InstanceError]
LARGEST = float(np.finfo(np.float32).max)


def encode_instances(
    instances: Sequence[object], encoder: InputEncoder, pointer: str = "/instances"
) -> Columns:
    """The columns of N instances, ready for `encoder.transform`.

    A table's instance is an object of its feature columns; a tensor's is a nested list of the
    example's shape. Raises InstanceError whose pointer starts with `pointer`.
    """
    if encoder.tensor is not None:
        return {encoder.tensor.name: _tensor(instances, encoder.tensor, pointer)}
    rows = [
        _checked_row(instance, encoder.names, pointer + join_pointer(i))
        for i, instance in enumerate(instances)
    ]
    columns: Columns = {}
    for feature in encoder.features:
        if isinstance(feature, TensorFeature):
            continue
        read = _READERS[type(feature)]
        values = [
            read(feature, row[feature.name], pointer + join_pointer(i, feature.name))
            for i, row in enumerate(rows)
        ]
        kind = object if isinstance(feature, CategoryFeature) else np.float64
        columns[feature.name] = np.array(values, dtype=kind)
    return columns


def _checked_row(instance: object, names: tuple[str, ...], pointer: str) -> Mapping[str, Any]:
    if not isinstance(instance, dict):
        example = f"{{{quoted(names[0])}: ...}}"
        raise InstanceError(
            pointer, f"must be an object of the columns {listed(names)}, such as {example}"
        )
    for name in instance:
        if name not in names:
            raise InstanceError(
                pointer + join_pointer(name),
                f"unknown column; the columns are {listed(names)}." + did_you_mean(name, names),
            )
    for name in names:
        if name not in instance:
            raise InstanceError(
                pointer + join_pointer(name),
                f"the column {quoted(name)} is missing; write null where its value is unknown",
            )
    return instance


def _number(feature: NumberFeature, value: object, pointer: str) -> float:
    if value is None:
        return _missing(feature, pointer)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InstanceError(pointer, f"is {quoted(value)}, expected a number{_unquote(value)}")
    number = _finite(value, pointer)
    if abs((number - feature.offset) / feature.divisor) > LARGEST:
        raise InstanceError(pointer, "the number is too large")
    return number


def _boolean(feature: BooleanFeature, value: object, pointer: str) -> float:
    if value is None:
        return _missing(feature, pointer)
    if not isinstance(value, int | float) or value not in (0, 1):
        raise InstanceError(pointer, f"is {quoted(value)}, expected true or false")
    return float(value)


def _category(feature: CategoryFeature, value: object, pointer: str) -> str | None:
    if value is None:
        if feature.missing == "error":
            _missing(feature, pointer)
        return None
    known = f"the categories are {listed(feature.categories)}"
    if not isinstance(value, str):
        raise InstanceError(pointer, f"is {quoted(value)}, expected text; {known}")
    if value not in feature.categories:
        close = did_you_mean(value, feature.categories)
        raise InstanceError(pointer, f"unknown category {quoted(value)}; {known}.{close}")
    return value


_READERS: dict[type, Callable[[Any, object, str], object]] = {
    NumberFeature: _number,
    BooleanFeature: _boolean,
    CategoryFeature: _category,
}


def _missing(feature: NumberFeature | BooleanFeature | CategoryFeature, pointer: str) -> float:
    if feature.missing == "error":
        raise InstanceError(
            pointer, 'is null, but the model was trained with "missing": "error"; give a value'
        )
    return math.nan


def _finite(value: int | float, pointer: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InstanceError(pointer, "the number is not finite; NaN and Infinity are refused")
    return number


def _unquote(value: object) -> str:
    try:
        float(value)  # type: ignore[arg-type]  # what is no text fails here too
    except (TypeError, ValueError):
        return ""
    return "; leave the quotes out" if isinstance(value, str) else ""


def _tensor(
    instances: Sequence[object], feature: TensorFeature, pointer: str
) -> NDArray[np.float64]:
    out = np.empty((len(instances), *feature.shape), np.float64)
    for i, instance in enumerate(instances):
        place = pointer + join_pointer(i)
        try:
            out[i] = _example(instance, feature.shape, place)
        except NestingError as error:
            raise InstanceError(place + join_pointer(*error.path), error.detail) from None
        encoded = np.abs((out[i] - np.array(feature.offset)) / np.array(feature.divisor))
        if encoded.size and encoded.max() > LARGEST:
            at = path_of(int(encoded.argmax()), feature.shape)
            raise InstanceError(place + join_pointer(*at), "the number is too large")
    return out


def _example(instance: object, shape: tuple[int, ...], pointer: str) -> NDArray[np.float64]:
    got, expected = apparent_shape(instance), list(shape)
    if not isinstance(instance, list):
        detail = f"is {quoted(instance)}, expected a nested list of shape {expected}"
        raise InstanceError(pointer, detail)
    if got != shape:
        raise InstanceError(pointer, f"has shape {list(got)}, expected {expected}")
    flat = flatten(instance, shape)
    if not set(map(type, flat)) <= {int, float}:
        i = next(i for i, value in enumerate(flat) if type(value) not in (int, float))
        at = pointer + join_pointer(*path_of(i, shape))
        raise InstanceError(at, f"is {quoted(flat[i])}, expected a number{_unquote(flat[i])}")
    return np.array(_all_finite(flat, shape, pointer), np.float64).reshape(shape)


def _all_finite(flat: list[Any], shape: tuple[int, ...], pointer: str) -> list[float]:
    try:
        if all(map(math.isfinite, flat)):
            return flat
    except OverflowError:
        pass
    return [
        _finite(value, pointer + join_pointer(*path_of(i, shape))) for i, value in enumerate(flat)
    ]
