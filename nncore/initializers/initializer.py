"""The protocol of initializers."""

from __future__ import annotations

from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.registry import Unit, kind


@kind
class Initializer(Unit):
    """Start values of a weight."""

    __slots__ = ()

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """An array of that shape. The draws do not depend on dtype, only their rounding does."""
        raise NotImplementedError
