"""Signs of real numbers, and derivatives that stand in for theirs so that they can be trained.

sign x = -1 below 0, else 1. straight_through: the derivative is taken as 1 where |x| <= 1, else 0
(Courbariaux, Hubara, Soudry, El-Yaniv and Bengio, 2016). error_decay: as k t (1 - tanh^2(t x)) with
t growing from .001 to 10 over training and k = max(1 / t, 1), which goes from the identity to the
sign (Qin, Gong, Liu, Shen, Wei, Yu and Song, 2020).
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from nncore.arrays import Array
from nncore.onnx.graph import Graph

Estimator = Literal["straight_through", "error_decay"]

_FIRST, _LAST = 1e-3, 1e1


def signs(x: Array) -> Array:
    """-1 or 1 for each element, 1 at both zeros, in a fresh array."""
    found: Array = np.greater_equal(x, 0).astype(x.dtype)
    found *= 2
    found -= 1
    return found


def signs_in_onnx(x: str, graph: Graph) -> str:
    """`signs` in ONNX operators."""
    above = graph.node("GreaterOrEqual", x, graph.number(0))
    return graph.node("Where", above, graph.number(1), graph.number(-1))


def surrogate(x: Array, estimator: Estimator, progress: float) -> Array:
    """What stands for the sign's derivative at x, `progress` (0 to 1) into the training run."""
    if estimator == "straight_through":
        inside: Array = np.less_equal(np.abs(x), 1).astype(x.dtype)
        return inside
    sharpness = _FIRST * (_LAST / _FIRST) ** progress
    # 1 - tanh^2 z = 4 u / (1 + u)^2 with u = exp(-2 |z|), without the difference of near equals.
    slope: Array = np.abs(x)
    slope *= -2 * sharpness
    np.exp(slope, out=slope)
    slope /= np.square(1 + slope)
    slope *= 4 * max(1 / sharpness, 1) * sharpness
    return slope
