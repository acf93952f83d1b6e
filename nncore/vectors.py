"""Many arrays as one vector, so that what is done to each element is done in one go."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nncore.arrays import Array, Params


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a vector the elements of named arrays lie, one array behind the other."""

    shapes: Mapping[str, tuple[int, ...]]
    places: dict[str, slice] = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        start, places = 0, {}
        for name, shape in self.shapes.items():
            places[name] = slice(start, start := start + math.prod(shape))
        object.__setattr__(self, "places", places)
        object.__setattr__(self, "size", start)

    def views(self, vector: Array) -> Params:
        """The arrays as views of a vector."""
        return {name: vector[self.places[name]].reshape(self.shapes[name]) for name in self.places}

    def zeros(self, dtype: np.dtype[Any]) -> Params:
        """Arrays of zeros that are one vector."""
        return self.views(np.zeros(self.size, dtype))


def zeros_like(arrays: Mapping[str, Array]) -> Params:
    """Zeros shaped like these arrays, one behind the other if all are of one precision."""
    kinds = {array.dtype for array in arrays.values()}
    if len(kinds) != 1:
        return {name: np.zeros_like(array) for name, array in arrays.items()}
    return Layout({name: array.shape for name, array in arrays.items()}).zeros(kinds.pop())


def runs(layout: Layout, *groups: Mapping[str, Array]) -> list[tuple[slice, list[Array]]]:
    """Stretches of the layout whose arrays lie one behind the other in each of the groups.

    Each with the group's arrays as vectors. The groups' arrays must be contiguous.
    """
    found: list[tuple[list[str], list[Array]]] = []
    for name in layout.places:
        here = [group[name] for group in groups]
        if found and all(map(_follows, found[-1][1], here)):
            found[-1][0].append(name)
            found[-1] = (found[-1][0], here)
        else:
            found.append(([name], here))
    return [
        (
            slice(layout.places[names[0]].start, layout.places[names[-1]].stop),
            [joined([group[name] for name in names]) for group in groups],
        )
        for names, _ in found
    ]


def joined(arrays: Sequence[Array]) -> Array:
    """Arrays that follow each other in memory as one vector."""
    first, size = arrays[0], sum(array.size for array in arrays)
    if len(arrays) == 1:
        return first.reshape(-1)
    whole = first.base
    assert whole is not None, "arrays that follow each other are views"
    start = (_address(first) - _address(whole)) // first.itemsize
    vector: Array = whole.reshape(-1)[start : start + size]
    return vector


def _follows(array: Array, after: Array) -> bool:
    base = array.base
    if not isinstance(base, np.ndarray) or after.base is not base or not base.flags.c_contiguous:
        return False
    same = array.dtype == after.dtype == base.dtype
    return same and _address(after) == _address(array) + array.nbytes


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
