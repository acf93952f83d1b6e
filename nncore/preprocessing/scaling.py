"""Offset and divisor of a column: (x - offset) / divisor, fitted in float64.

standard: offset = mean, divisor = standard deviation of the population (ddof 0);
min_max: offset = minimum, divisor = maximum - minimum; none: 0 and 1. A divisor that would be zero
(a constant column) is 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncore.preprocessing.options import Scale

Vector = NDArray[np.float64]
Parts = Callable[[], Iterator[NDArray[Any]]]
CHUNK_ELEMENTS = 1 << 20  # elements converted to float64 at a time
NOISE = 1e-14  # a deviation this small beside the mean is the rounding of a constant


def chunks(array: NDArray[Any], rows: NDArray[np.int64] | None = None) -> Iterator[NDArray[Any]]:
    """Consecutive parts of `array` (or of its `rows`) of bounded size along the first axis."""
    count = len(array) if rows is None else len(rows)
    each = max(1, CHUNK_ELEMENTS // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, count, each):
        part = slice(start, start + each)
        yield array[part] if rows is None else array[rows[part]]


def fit_scale(scale: Scale, parts: Parts) -> tuple[Vector, Vector]:
    """Offset and divisor, each (F,) or (1,), over the rows of all `parts` (each (n, F), no NaN).

    `parts` is called once per pass. Raises ValueError where the values overflow float64.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        offset, divisor = _FITS[scale](parts)
    if not (np.isfinite(offset).all() and np.isfinite(divisor).all()):
        raise ValueError("the values are too large to be scaled; divide them beforehand")
    return offset, divisor


def _standard(parts: Parts) -> tuple[Vector, Vector]:
    count = sum(len(part) for part in parts())
    mean: Vector = sum(part.sum(axis=0, dtype=np.float64) for part in parts()) / np.float64(count)
    squares = sum(np.square(part.astype(np.float64) - mean).sum(axis=0) for part in parts())
    deviation: Vector = np.sqrt(squares / np.float64(count))
    return mean, np.where(deviation > NOISE * np.abs(mean), deviation, 1.0)


def _min_max(parts: Parts) -> tuple[Vector, Vector]:
    low = np.min([part.min(axis=0) for part in parts()], axis=0).astype(np.float64)
    high = np.max([part.max(axis=0) for part in parts()], axis=0).astype(np.float64)
    return low, np.where(high > low, high - low, 1.0)


_FITS: dict[Scale, Callable[[Parts], tuple[Vector, Vector]]] = {
    "none": lambda _: (np.zeros(1), np.ones(1)),
    "standard": _standard,
    "min_max": _min_max,
}
