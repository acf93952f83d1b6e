"""Names for the arrays that travel through the core."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
"""Real numbers, float32 or float64."""

AnyArray = NDArray[Any]
"""Targets and raw inputs: any dtype."""

Params = dict[str, Array]
"""Weights by name; inside a layer the short name (`kernel`), outside `<layer>.<weight>`."""


def dtype_of(params: Mapping[str, Array], inputs: Iterable[AnyArray] = ()) -> np.dtype[Any]:
    """The floating type that a network with these weights runs in.

    Without any it is float64 if an input is, else float32.
    """
    if params:
        return np.result_type(*params.values())
    double = any(np.dtype(x.dtype) == np.float64 for x in inputs)
    return np.dtype(np.float64 if double else np.float32)


def check_arrays(what: str, like: Mapping[str, Array], found: Mapping[str, Array]) -> None:
    """Raise ValueError unless there is an array of the same shape and dtype for each name."""
    for name in {**like, **found}:
        if name not in found or name not in like:
            word = "lacks" if name in like else "has an unknown"
            raise ValueError(f"{what} {word} {name!r}")
        one, other = like[name], found[name]
        if (one.shape, one.dtype) != (other.shape, other.dtype):
            raise ValueError(
                f"{what} {name!r} must be {one.dtype} of shape {one.shape}, "
                f"got {other.dtype} of shape {other.shape}"
            )
