"""What a dataset tells about each column: type, shape, missing values, range or categories.

All numbers are finite JSON numbers; a statistic that does not exist (no value present, or beyond
float64) is null.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

DISTINCT_CAP = 10_000
CHUNK_ELEMENTS = 1 << 20

Facts = dict[str, Any]


def profile_columns(
    columns: Mapping[str, NDArray[Any]], schema: Sequence[Mapping[str, Any]]
) -> list[Facts]:
    """One description per schema entry, in order: {"name", "type", "shape", "missing", ...}.

    number: min, max, mean, std, integer, distinct (with distinct_exact false where it stopped at
    the cap); boolean, category: distinct, categories (sorted), counts beside them; text: distinct,
    min_length, mean_length, max_length; tensor: dtype, min, max, mean, and of
    one number a row integer and distinct, too.
    """
    described = []
    for entry in schema:
        values = columns[entry["name"]]
        head = {"name": entry["name"], "type": entry["type"], "shape": list(entry["shape"])}
        described.append(head | _DESCRIBE[entry["type"]](values))
    return described


def _number(values: NDArray[Any]) -> Facts:
    present = values[~np.isnan(values)]
    facts: Facts = {"missing": len(values) - len(present)}
    if len(present) == 0:
        empty = dict.fromkeys(("min", "max", "mean", "std"))
        return facts | empty | {"integer": False, "distinct": 0, "distinct_exact": True}
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = float(present.mean()), float(present.std())
    distinct, exact = _distinct(present)
    return facts | {
        "min": _finite(present.min()),
        "max": _finite(present.max()),
        "mean": _finite(mean),
        "std": _finite(std),
        "integer": bool((np.floor(present) == present).all()),
        "distinct": distinct,
        "distinct_exact": exact,
    }


def _distinct(values: NDArray[Any]) -> tuple[int, bool]:
    """How many different values there are; past the cap the cap, and that it is not exact."""
    seen = values[:0]
    for start in range(0, len(values), CHUNK_ELEMENTS):
        seen = np.union1d(seen, values[start : start + CHUNK_ELEMENTS])
        if len(seen) > DISTINCT_CAP:
            return DISTINCT_CAP, False
    return len(seen), True


def _boolean(values: NDArray[Any]) -> Facts:
    missing = int(np.isnan(values).sum())
    true = int((values == 1).sum())
    counts = {False: len(values) - missing - true, True: true}
    return _counted(missing, {value: count for value, count in counts.items() if count})


def _category(values: NDArray[Any]) -> Facts:
    counts = Counter(value for value in values if value is not None)
    return _counted(
        len(values) - counts.total(), {value: counts[value] for value in sorted(counts)}
    )


def _counted(missing: int, counts: Mapping[Any, int]) -> Facts:
    return {
        "missing": missing,
        "distinct": len(counts),
        "categories": list(counts),
        "counts": list(counts.values()),
    }


def _text(values: NDArray[Any]) -> Facts:
    present = [value for value in values if value is not None]
    lengths = [len(value) for value in present]
    return {
        "missing": len(values) - len(present),
        "distinct": len(set(present)),
        "min_length": min(lengths, default=None),
        "mean_length": sum(lengths) / len(lengths) if lengths else None,
        "max_length": max(lengths, default=None),
    }


def _tensor(values: NDArray[Any]) -> Facts:
    flat = values.reshape(-1)
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, flat.size, CHUNK_ELEMENTS):
            total += float(flat[start : start + CHUNK_ELEMENTS].sum(dtype=np.float64))
    return _as_numbers(values) | {
        "missing": 0,
        "dtype": values.dtype.name,
        "min": _finite(flat.min()) if flat.size else None,
        "max": _finite(flat.max()) if flat.size else None,
        "mean": _finite(total / flat.size) if flat.size else None,
    }


def _as_numbers(values: NDArray[Any]) -> Facts:
    """What a target needs to be known of an array with one number a row, (N, 1)."""
    if values.shape[1:] != (1,):
        return {}
    numbers = values.reshape(-1).astype(np.float64)
    distinct, exact = _distinct(numbers)
    integer = bool((np.floor(numbers) == numbers).all())
    return {"integer": integer, "distinct": distinct, "distinct_exact": exact}


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


_DESCRIBE = {
    "number": _number,
    "boolean": _boolean,
    "category": _category,
    "text": _text,
    "tensor": _tensor,
}
