"""Names for the arrays that travel through the core."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
"""Real numbers, float32 or float64."""

AnyArray = NDArray[Any]
"""Targets and raw inputs: any dtype."""

Params = dict[str, Array]
"""Weights by name; inside a layer the short name (`kernel`), outside `<layer>.<weight>`."""


def dtype_of(params: Mapping[str, Array]) -> np.dtype[Any]:
    """The floating type that a network with these weights runs in (float32 if it has none)."""
    return np.result_type(*params.values()) if params else np.dtype(np.float32)


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
