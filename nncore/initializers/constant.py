"""Weights that start equal: zeros and ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.initializers.initializer import Initializer
from nncore.registry import register


@register("zeros")
@dataclass(frozen=True, slots=True)
class Zeros(Initializer):
    """All zero."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return np.zeros(shape, dtype)


@register("ones")
@dataclass(frozen=True, slots=True)
class Ones(Initializer):
    """All one."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return np.ones(shape, dtype)
