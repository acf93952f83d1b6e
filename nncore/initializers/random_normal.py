"""Normal start values of a given mean and deviation, with or without far ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from nncore.arrays import Array
from nncore.documents.limits import Range
from nncore.initializers.initializer import Initializer
from nncore.initializers.variance import normal
from nncore.registry import register

Deviation = Annotated[float, Range(min=0)]


@register("random_normal")
@dataclass(frozen=True, slots=True)
class RandomNormal(Initializer):
    """Normal with this mean and standard deviation."""

    mean: float = 0.0
    stddev: Deviation = 0.05

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return normal(rng, self.stddev**2, shape, dtype, mean=self.mean)


@register("truncated_normal")
@dataclass(frozen=True, slots=True)
class TruncatedNormal(Initializer):
    """Normal, redrawn beyond two `stddev`, which makes its own deviation .88 stddev."""

    mean: float = 0.0
    stddev: Deviation = 0.05

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return normal(rng, self.stddev**2, shape, dtype, mean=self.mean, cut=True)
