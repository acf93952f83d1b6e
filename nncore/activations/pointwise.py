"""What activations share that treat each element alike: y = f(x), dx = dy f'(x)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.passes import Pass


@dataclass(frozen=True, slots=True)
class Pointwise(Activation):
    """A function of single elements; one activation defines it and its derivative."""

    repeatable: ClassVar[bool] = True

    def value(self, x: Array, y: Array) -> None:
        """Write f(x) into y."""
        raise NotImplementedError

    def slope(self, x: Array, y: Array, dx: Array) -> None:
        """Write f'(x) into dx; y is f(x)."""
        raise NotImplementedError

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, tuple[Array, Array]]:
        y = pass_.buffer("y", x.shape, x.dtype)
        pass_.do(self.value, x, y)
        return y, (x, y)

    def backward(
        self, params: Params, cache: tuple[Array, Array], dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        x, y = cache
        slope = pass_.buffer("slope", y.shape, y.dtype)
        pass_.do(self.slope, x, y, slope)
        pass_.do(np.multiply, dy, slope, dy)
        return dy, {}
