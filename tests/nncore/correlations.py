"""Correlation as the textbook says it, tap by tap, to compare the fast ways with."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.geometry import Geometry


def formula(x: Array, kernel: Array, at: Geometry) -> Array:
    """Y of x (N, H, W, C) and kernel (KH, KW, C, F), in float64."""
    (top, left), (height, width) = at.offset, at.output
    frame = np.zeros((len(x), at.frame[0], at.frame[1], x.shape[3]))
    frame[:, top : top + x.shape[1], left : left + x.shape[2]] = x
    y = np.zeros((len(x), height, width, kernel.shape[3]))
    for tap in np.ndindex(*at.kernel):
        rows, columns = at.places(tap, slice(0, height))
        y += frame[:, rows, columns] @ kernel[tap]
    return y
