"""Long arrays in pieces that stay in cache while an optimizer goes over them several times."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from nncore.arrays import Array

ELEMENTS = 1 << 15
_WORTH_A_THREAD = 1 << 16


def in_chunks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """The same stretches of contiguous arrays of equal size, as flat views."""
    if arrays[0].ndim == 1 and arrays[0].size <= ELEMENTS:
        yield arrays
        return
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, flat[0].size, ELEMENTS):
        yield tuple(array[start : start + ELEMENTS] for array in flat)


def stretches(size: int, most: int) -> list[slice]:
    """A vector of that size in parts for as many threads, of whole chunks, if it is worth it."""
    chunks = -(-size // ELEMENTS)
    parts = max(1, min(most, size // _WORTH_A_THREAD))
    ends = [min(size, chunks * part // parts * ELEMENTS) for part in range(parts + 1)]
    return [slice(*pair) for pair in pairwise(ends)]
