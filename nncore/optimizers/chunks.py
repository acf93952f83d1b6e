"""Long arrays in pieces that stay in cache while an optimizer goes over them several times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from nncore.arrays import Array

# Shorter pieces would stay nearer, but each call on one has two threads meet at the interpreter's
# lock: with an eighth of this, two threads take longer than one.
ELEMENTS = 1 << 18
# With the weights and Adam's state these fit 1 MB of L2 cache: a quarter faster than longer ones.
BLOCK = 1 << 16
_WORTH_A_THREAD = 1 << 16
_ALIGNED = 1 << 10


def in_chunks(*arrays: Array) -> Iterator[tuple[Array, ...]]:
    """The same stretches of contiguous arrays of equal size, as flat views."""
    size = arrays[0].size
    if arrays[0].ndim == 1 and size <= ELEMENTS:
        yield arrays
        return
    flat = [array.reshape(-1) for array in arrays]
    for piece in pieces(slice(0, size)):
        yield tuple(array[piece] for array in flat)


def pieces(stretch: slice) -> Iterator[slice]:
    """A stretch in about equal pieces of about `ELEMENTS` at most."""
    yield from _divided(stretch, 1 + (stretch.stop - stretch.start) // ELEMENTS)


def blocks(shape: Sequence[int], parts: int) -> list[list[slice]]:
    """The rows of a matrix for so many threads, each with theirs in pieces of about `BLOCK`."""
    shares = _divided(slice(0, shape[0]), parts, 1)
    return [
        list(_divided(rows, 1 + (rows.stop - rows.start) * shape[1] // BLOCK, 1)) for rows in shares
    ]


def stretches(size: int, most: int) -> list[slice]:
    """A vector of that size in parts for as many threads at most as are worth it."""
    return list(_divided(slice(0, size), max(1, min(most, size // _WORTH_A_THREAD))))


def _divided(stretch: slice, parts: int, aligned: int = _ALIGNED) -> Iterator[slice]:
    start, size = stretch.start, stretch.stop - stretch.start
    ends = [start + size * part // parts // aligned * aligned for part in range(1, parts)]
    return (slice(*pair) for pair in pairwise([start, *ends, stretch.stop]))
