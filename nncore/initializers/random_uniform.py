"""Uniform start values between two bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.initializers.initializer import Initializer
from nncore.registry import register


@register("random_uniform")
@dataclass(frozen=True, slots=True)
class RandomUniform(Initializer):
    """Uniform on [minval, maxval)."""

    minval: float = -0.05
    maxval: float = 0.05

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return rng.uniform(self.minval, self.maxval, shape).astype(dtype)
