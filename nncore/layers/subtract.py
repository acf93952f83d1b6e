"""Difference of two inputs: y = x_1 - x_2, dx_1 = dy, dx_2 = -dy.   All (N, ...), broadcast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import Array
from nncore.merging import Arrays, Elementwise, Shapes, two_inputs
from nncore.registry import register
from nncore.shapes import Shape


@register("subtract")
@dataclass(frozen=True, slots=True)
class Subtract(Elementwise):
    """The first input less the second."""

    operator: ClassVar[str] = "Sub"

    def output_shape(self, shape: Shapes) -> Shape:
        two_inputs(self, shape)
        return Elementwise.output_shape(self, shape)

    def join(self, xs: Arrays, y: Array) -> None:
        np.subtract(xs[0], xs[1], out=y)

    def slopes(self, xs: Arrays, y: Array, dy: Array) -> Iterator[Array]:
        yield dy
        yield -dy
