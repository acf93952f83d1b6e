"""Tables for correlations along an axis with fewer products than their formula has.

m outputs under r taps k read n = m + r - 1 places d: y = A [(G k) * (B d)], a product for each of n
points. The rows of G and B evaluate polynomials at n - 1 small numbers and at infinity; A goes back
(Toom and Cook; Winograd, 1980). More points take fewer products, but round worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from nncore.arrays import Array

_POINTS = (0.0, 1.0, -1.0, 2.0, -2.0)
MOST_TAPS = len(_POINTS)
"""Taps under which two outputs use all points."""
ONE = _POINTS.index(1)
"""A constant in the products of this point, which is 1, is that constant in every output."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A (m, n), G (n, r) and B (n, n)."""

    output: Array
    kernel: Array
    image: Array


@cache
def scheme(taps: int, dtype: np.dtype[Any], outputs: int | None = None) -> Scheme:
    """The scheme for so many taps and outputs, by default as many as the points allow."""
    last = len(_POINTS) if outputs is None else outputs + taps - 2
    points = _POINTS[:last]
    others = [[q for q in points if q != p] for p in points]
    gaps = [np.prod([p - q for q in rest]) for p, rest in zip(points, others, strict=True)]
    output, kernel = np.zeros((last + 2 - taps, last + 1)), np.zeros((last + 1, taps))
    image = np.zeros((last + 1, last + 1))
    output[:, :last] = np.vander(points, len(output), increasing=True).T
    kernel[:last] = np.vander(points, taps, increasing=True) / np.array(gaps)[:, None]
    image[:last, :last] = [np.poly(rest)[::-1] for rest in others]
    output[-1, last] = kernel[last, -1] = 1
    image[last] = np.poly(points)[::-1]
    return Scheme(output.astype(dtype), kernel.astype(dtype), image.astype(dtype))
