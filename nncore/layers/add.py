"""Sum of inputs: y = x_1 + x_2 + ..., dx_k = dy.   All (N, ...), broadcast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import ClassVar

import numpy as np

from nncore.arrays import Array
from nncore.merging import Arrays, Elementwise
from nncore.registry import register


@register("add")
@dataclass(frozen=True, slots=True)
class Add(Elementwise):
    """Sum of two or more inputs; a residual connection."""

    operator: ClassVar[str] = "Add"

    def join(self, xs: Arrays, y: Array) -> None:
        np.add(xs[0], xs[1], out=y)
        for x in xs[2:]:
            y += x

    def slopes(self, xs: Arrays, y: Array, dy: Array) -> Iterator[Array]:
        return repeat(dy, len(xs))
