"""Draws of a given variance, and the fans of a weight that the variance is scaled by."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import Array

_CHUNK = 1 << 16
# Standard deviation of a standard normal cut off at +-2.
_TRUNCATED_DEVIATION = 0.87962566103423978


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(fan in, fan out) of a weight (..., in, out): taps of a kernel count for both sides."""
    if len(shape) < 2:
        return (max(math.prod(shape), 1),) * 2
    taps = math.prod(shape[:-2])
    return max(taps * shape[-2], 1), max(taps * shape[-1], 1)


def uniform(
    rng: np.random.Generator, variance: float, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Array:
    """Uniform on +-sqrt(3 variance)."""
    limit = math.sqrt(3 * variance)
    return _in_chunks(lambda size: rng.uniform(-limit, limit, size), shape, dtype)


def truncated_normal(
    rng: np.random.Generator, variance: float, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Array:
    """Normal, redrawn beyond two deviations, widened so that the variance stays as asked for."""
    return normal(rng, variance / _TRUNCATED_DEVIATION**2, shape, dtype, cut=True)


def normal(
    rng: np.random.Generator,
    variance: float,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    mean: float = 0.0,
    cut: bool = False,
) -> Array:
    """Normal; with `cut`, what lies beyond two deviations is drawn again."""
    deviation = math.sqrt(variance)

    def draw(size: int) -> NDArray[np.float64]:
        numbers = rng.standard_normal(size)
        while cut and (far := np.abs(numbers) > 2).any():
            numbers[far] = rng.standard_normal(np.count_nonzero(far))
        return numbers * deviation + mean

    return _in_chunks(draw, shape, dtype)


def _in_chunks(
    draw: Callable[[int], NDArray[np.float64]], shape: tuple[int, ...], dtype: np.dtype[Any]
) -> Array:
    weight = np.empty(shape, dtype)
    flat = weight.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        chunk = flat[start : start + _CHUNK]
        chunk[...] = draw(chunk.size)
    return weight
