"""Sample weights and masks as factors of a loss's terms, and the checks of weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.losses.loss import Mask


def factors(
    shape: tuple[int, ...], dtype: np.dtype[Any], weights: Array | None, mask: Mask | None
) -> Array | None:
    """The factor of each term, ready to multiply terms of that shape; None if all are 1."""
    if weights is None and mask is None:
        return None
    product: Array | None = None
    for factor in (weights, mask):
        if factor is None:
            continue
        part = np.asarray(factor, dtype)
        part = part.reshape(part.shape + (1,) * (len(shape) - part.ndim))
        product = part if product is None else product * part
    return product


def check_sample_weights(weights: AnyArray, targets: AnyArray) -> None:
    """Raise ValueError unless weights are finite, not negative and (N,) or one a position."""
    if weights.dtype.kind not in "fiub":
        raise ValueError(f"sample weights must be numbers, got {weights.dtype}")
    if weights.ndim == 0 or weights.shape != targets.shape[: weights.ndim]:
        raise ValueError(
            "sample weights need one number for each example, or for each position: "
            f"targets are {targets.shape}, got weights {weights.shape}"
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("sample weights must be finite and at least 0")
