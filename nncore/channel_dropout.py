"""Dropout of whole channels, the same at every position."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.passes import Pass


def drop_channels(x: Array, rate: float, pass_: Pass) -> tuple[Array, Array | None]:
    """In training, x (N, ..., C) without random channels, the others scaled up; and the factors."""
    if not pass_.training or rate == 0:
        return x, None
    factor = np.greater_equal(pass_.uniform((len(x), x.shape[-1])), np.float32(rate))
    factors = (factor / (1 - rate)).astype(x.dtype)
    factors = factors.reshape(len(x), *(1,) * (x.ndim - 2), x.shape[-1])
    y = pass_.buffer("y", x.shape, x.dtype)
    np.multiply(x, factors, out=y)
    return y, factors
