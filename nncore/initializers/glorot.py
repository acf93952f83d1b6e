"""Glorot's initialisation: the signal keeps its variance forwards and backwards on average.

Var w = 2 / (fan in + fan out). Glorot and Bengio, 2010.
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
    fan_in, fan_out = fans(shape)
    return 2 / (fan_in + fan_out)


@register("glorot_uniform")
@dataclass(frozen=True, slots=True)
class GlorotUniform(Initializer):
    """Uniform with variance 2 / (fan in + fan out)."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return uniform(rng, _variance(shape), shape, dtype)


@register("glorot_normal")
@dataclass(frozen=True, slots=True)
class GlorotNormal(Initializer):
    """Normal, cut off at two deviations, with variance 2 / (fan in + fan out)."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return truncated_normal(rng, _variance(shape), shape, dtype)
