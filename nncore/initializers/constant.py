"""Weights that start equal, or as an identity map."""

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


@register("constant")
@dataclass(frozen=True, slots=True)
class Constant(Initializer):
    """All of one value."""

    value: float = 0.0

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        return np.full(shape, self.value, dtype)


@register("identity")
@dataclass(frozen=True, slots=True)
class Identity(Initializer):
    """`gain` on the diagonal of a matrix, zero elsewhere.

    A kernel (..., in, out) of a convolution has the matrix at its middle tap, so that it passes its
    input through; a vector is all `gain`.
    """

    gain: float = 1.0

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        if len(shape) < 2:
            return np.full(shape, self.gain, dtype)
        weight = np.zeros(shape, dtype)
        middle = tuple((size - 1) // 2 for size in shape[:-2])
        np.fill_diagonal(weight[middle], self.gain)
        return weight
