"""Nested JSON lists as arrays: their shape, and where they break it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from nncore.preprocessing.wording import join_pointer, quoted

DEEPEST = 8


class NestingError(ValueError):
    """A nested list that is not the array it should be; `path` holds the indices to the cause."""

    def __init__(self, path: Sequence[int], detail: str) -> None:
        super().__init__(f"{join_pointer(*path)}: {detail}")
        self.path = tuple(path)
        self.detail = detail


def apparent_shape(nested: object) -> tuple[int, ...]:
    """The lengths met along first elements; () for a scalar. Raises NestingError past 8 levels."""
    shape: list[int] = []
    while isinstance(nested, list):
        if len(shape) == DEEPEST:
            raise NestingError([0] * DEEPEST, f"is nested deeper than {DEEPEST} levels")
        shape.append(len(nested))
        if not nested:
            break
        nested = nested[0]
    return tuple(shape)


def flatten(nested: list[Any], shape: tuple[int, ...]) -> list[Any]:
    """The elements of a nested list of exactly `shape`, in row-major order.

    Raises NestingError at the first list of another length, or the first scalar or list that
    stands where the other should.
    """
    level: list[Any] = [nested]
    for depth, length in enumerate(shape):
        for position, item in enumerate(level):
            if not isinstance(item, list) or len(item) != length:
                raise NestingError(path_of(position, shape[:depth]), _length_detail(item, length))
        level = list(chain.from_iterable(level))
    if list in set(map(type, level)):
        position = next(i for i, item in enumerate(level) if isinstance(item, list))
        raise NestingError(path_of(position, shape), "is a list, expected a single value")
    return level


def path_of(position: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The indices of the element at a flat position."""
    return tuple(int(index) for index in np.unravel_index(position, shape)) if shape else ()


def _length_detail(item: object, length: int) -> str:
    if not isinstance(item, list):
        return f"is {quoted(item)}, expected a list of {length} elements"
    return f"has {len(item)} {'element' if len(item) == 1 else 'elements'}, expected {length}"
