"""Product of inputs: y = x_1 x_2 ..., dx_k = dy times the others.   All (N, ...), broadcast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import Array
from nncore.merging import Arrays, Elementwise, product
from nncore.registry import register


@register("multiply")
@dataclass(frozen=True, slots=True)
class Multiply(Elementwise):
    """Product of two or more inputs; a gate."""

    operator: ClassVar[str] = "Mul"

    def join(self, xs: Arrays, y: Array) -> None:
        np.multiply(xs[0], xs[1], out=y)
        for x in xs[2:]:
            y *= x

    def slopes(self, xs: Arrays, y: Array, dy: Array) -> Iterator[Array]:
        for place in range(len(xs)):
            yield product((dy, *xs[:place], *xs[place + 1 :]))
