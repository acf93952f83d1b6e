"""Long arrays in pieces that stay in cache while an optimizer goes over them several times."""

from __future__ import annotations

from collections.abc import Iterator

from nncore.arrays import Array

_ELEMENTS = 1 << 15


def in_chunks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """The same stretches of contiguous arrays of equal size, as flat views."""
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, flat[0].size, _ELEMENTS):
        yield tuple(array[start : start + _ELEMENTS] for array in flat)
