"""LeCun's initialisation: the signal keeps its variance forwards.

Var w = 1 / fan in. LeCun, Bottou, Orr and Müller, 1998.
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
    return 1 / fans(shape)[0]


@register("lecun_uniform")
@dataclass(frozen=True, slots=True)
class LecunUniform(Initializer):
    """Uniform with variance 1 / fan in."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return uniform(rng, _variance(shape), shape, dtype)


@register("lecun_normal")
@dataclass(frozen=True, slots=True)
class LecunNormal(Initializer):
    """Normal, cut off at two deviations, with variance 1 / fan in."""

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return truncated_normal(rng, _variance(shape), shape, dtype)
