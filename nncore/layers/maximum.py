"""The largest of inputs: y = max(x_1, x_2, ...), dx_k = dy where x_k is the first such.

All (N, ...), broadcast.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import Array
from nncore.merging import Arrays, Elementwise
from nncore.registry import register


@register("maximum")
@dataclass(frozen=True, slots=True)
class Maximum(Elementwise):
    """The largest of two or more inputs, element by element."""

    operator: ClassVar[str] = "Max"

    def join(self, xs: Arrays, y: Array) -> None:
        np.maximum(xs[0], xs[1], out=y)
        for x in xs[2:]:
            np.maximum(y, x, out=y)

    def slopes(self, xs: Arrays, y: Array, dy: Array) -> Iterator[Array]:
        left = dy
        for x in xs:
            chosen = x == y
            yield left * chosen
            left = left * ~chosen
