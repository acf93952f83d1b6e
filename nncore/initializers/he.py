"""He's initialisation: for rectified units, which lose half of the signal.

Var w = 2 / fan in. He, Zhang, Ren and Sun, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.initializers.initializer import Initializer
from nncore.initializers.variance import fans, truncated_normal, uniform
from nncore.registry import register


def _variance(shape: tuple[int, ...]) -> float:
    return 2 / fans(shape)[0]


@register("he_uniform")
@dataclass(frozen=True, slots=True)
class HeUniform(Initializer):
    """Uniform with variance 2 / fan in."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return uniform(rng, _variance(shape), shape, dtype)


@register("he_normal")
@dataclass(frozen=True, slots=True)
class HeNormal(Initializer):
    """Normal, cut off at two deviations, with variance 2 / fan in."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return truncated_normal(rng, _variance(shape), shape, dtype)
