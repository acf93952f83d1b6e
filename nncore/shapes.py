"""Shapes of one example: tuples of sizes, None where the size varies.

All arithmetic is in Python integers, so that absurd sizes are seen before anything is allocated.
"""

from __future__ import annotations

import math
from typing import Annotated

from nncore.documents.limits import Range
from nncore.errors import ArchitectureError

Shape = tuple[int | None, ...]

Positive = Annotated[int, Range(min=1)]
Pair = Positive | tuple[Positive, Positive]
"""One size for height and width, or [height, width]."""

Amount = Annotated[int, Range(min=0)]
Amounts = Amount | tuple[Amount, Amount]
"""One amount for both ends or axes, or [first, second]."""


MOST_AXES = 32


def check_axes(shape: Shape, pointer: str) -> None:
    """Raise ArchitectureError for shapes of more axes than arrays can have on all ways."""
    if len(shape) > MOST_AXES:
        raise ArchitectureError(
            pointer, f"a shape may have {MOST_AXES} axes at most, here {len(shape)}; join some"
        )


MOST_ADDED = 1024


def check_added(length: int | None, added: int, field: str) -> None:
    """Raise ArchitectureError where an axis of unknown size is to grow without measure."""
    if length is None and added > MOST_ADDED:
        raise ArchitectureError(
            f"/{field}", f"{added} is too much for an axis of varying size; {MOST_ADDED} is allowed"
        )


def elements(shape: Shape) -> int:
    """Numbers in one example; a variable size counts once."""
    return math.prod(size for size in shape if size is not None)


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """A `Pair` field as (height, width)."""
    return (value, value) if isinstance(value, int) else value


def written(shape: Shape) -> str:
    """A shape as its document writes it: `[28, null, 1]`; never long."""
    sizes = ["null" if size is None else str(size) for size in shape[:MOST_AXES]]
    return f"[{', '.join(sizes)}{', ...' if len(shape) > MOST_AXES else ''}]"


def fits(shape: tuple[int, ...], pattern: Shape) -> bool:
    """Whether concrete sizes are an instance of a shape with variable sizes."""
    return len(shape) == len(pattern) and all(
        wanted is None or size == wanted for size, wanted in zip(shape, pattern, strict=True)
    )
