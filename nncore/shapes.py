"""Shapes of one example: tuples of sizes, None where the size varies.

All arithmetic is in Python integers, so that absurd sizes are seen before anything is allocated.
"""

from __future__ import annotations

import math
from typing import Annotated

from nncore.documents.limits import Range

Shape = tuple[int | None, ...]

Positive = Annotated[int, Range(min=1)]
Pair = Positive | tuple[Positive, Positive]
"""One size for height and width, or [height, width]."""

Amount = Annotated[int, Range(min=0)]
Amounts = Amount | tuple[Amount, Amount]
"""One amount for both ends or axes, or [first, second]."""


def elements(shape: Shape) -> int:
    """Numbers in one example; a variable size counts once."""
    return math.prod(size for size in shape if size is not None)


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """A `Pair` field as (height, width)."""
    return (value, value) if isinstance(value, int) else value


def written(shape: Shape) -> str:
    """A shape as its document writes it: `[28, null, 1]`."""
    return "[" + ", ".join("null" if size is None else str(size) for size in shape) + "]"


def fits(shape: tuple[int, ...], pattern: Shape) -> bool:
    """Whether concrete sizes are an instance of a shape with variable sizes."""
    return len(shape) == len(pattern) and all(
        wanted is None or size == wanted for size, wanted in zip(shape, pattern, strict=True)
    )
