"""Orthogonal initialisation: a map that keeps lengths, so that signals live through many steps.

Q of the QR decomposition of a normal matrix, columns signed so that the draw is uniform.
Saxe, McClelland and Ganguli, 2014.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import Array
from nncore.initializers.initializer import Initializer
from nncore.registry import register


@register("orthogonal")
@dataclass(frozen=True, slots=True)
class Orthogonal(Initializer):
    """`gain` times a matrix with orthonormal rows or columns, whichever are fewer."""

    gain: float = 1.0

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        columns = shape[-1] if shape else 1
        rows = math.prod(shape) // max(columns, 1)
        normal = rng.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)
        matrix = q if rows >= columns else q.T
        weight: Array = np.ascontiguousarray(self.gain * matrix, dtype).reshape(shape)
        return weight
