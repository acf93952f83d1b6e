"""Arrays from elsewhere as a network's weights: every one there, of its shape, of one dtype."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import AnyArray, Params
from nncore.network import Network


@dataclass(frozen=True, slots=True)
class Found:
    """An array for a weight, and what it is called where it comes from."""

    array: AnyArray
    source: str


def fitted(network: Network, found: Mapping[str, Found]) -> Params:
    """The weights in the network's order, float64 if any of them is, else float32.

    Raises ValueError naming a weight that is missing, or of another shape than the network's.
    """
    missing = [name for name in network.weight_shapes if name not in found]
    if missing:
        raise ValueError(
            f"no array for {_listed(missing)}; the network and the model must have the same layers"
        )
    for name, shape in network.weight_shapes.items():
        given = found[name]
        if given.array.shape != shape:
            raise ValueError(
                f"{given.source} becomes {name}, which has shape {shape}, but it fits "
                f"{given.array.shape}; the network's layer must have the same sizes"
            )
        if given.array.dtype.kind not in "fiu":
            raise ValueError(f"{given.source} holds no numbers but {given.array.dtype}")
    dtype = np.float64 if _double(found) else np.float32
    return {name: np.array(found[name].array, dtype, order="C") for name in network.weight_shapes}


def as_array(value: Any, source: str) -> AnyArray:
    """A value with the array interface as an array. Raises ValueError for anything else."""
    array = np.asarray(value)
    if array.dtype == object:
        raise ValueError(f"{source} is no array of numbers")
    return array


def _double(found: Mapping[str, Found]) -> bool:
    return any(given.array.dtype == np.float64 for given in found.values())


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
