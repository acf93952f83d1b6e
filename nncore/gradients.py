"""The gradient of all weights taken as one vector, and limits to gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from nncore.arrays import Array
from nncore.optimizers.chunks import in_chunks


@np.errstate(over="ignore", invalid="ignore")
def global_norm(gradients: Mapping[str, Array]) -> float:
    """The Euclidean norm of all gradients together; not finite exactly if one of them is not."""
    return math.sqrt(sum(square(gradient.reshape(-1)) for gradient in gradients.values()))


def square(vector: Array) -> float:
    """The sum of a vector's squares; not finite exactly if one of its elements is not."""
    total = float(vector.dot(vector))
    # Squares overflow long before the gradients do.
    return total if math.isfinite(total) else float(np.square(vector, dtype=np.float64).sum())


def clip(gradients: Mapping[str, Array], norm: float, limit: float) -> None:
    """Scale all gradients, of that norm, down in place so that their norm is at most `limit`."""
    if norm > limit:
        for gradient in gradients.values():
            gradient *= limit / norm


def clip_each(gradients: Mapping[str, Array], limit: float) -> None:
    """Scale each weight's gradient down in place so that its own norm is at most `limit`."""
    for name, gradient in gradients.items():
        clip({name: gradient}, global_norm({name: gradient}), limit)


def clip_values(gradients: Mapping[str, Array], limit: float) -> None:
    """Cut all elements of all gradients off at +-limit, in place."""
    for gradient in gradients.values():
        np.clip(gradient, -limit, limit, out=gradient)


def limit(
    gradients: Mapping[str, Array],
    norm: float,
    values: float | None,
    each: float | None,
    together: float | None,
) -> None:
    """Apply those limits that there are, in this order, to gradients of that global norm."""
    if values is not None:
        clip_values(gradients, values)
    if each is not None:
        clip_each(gradients, each)
    if together is not None:
        changed = values is not None or each is not None
        clip(gradients, global_norm(gradients) if changed else norm, together)


def layer_not_finite(arrays: Mapping[str, Array]) -> str | None:
    """The layer of the first gradient or weight that holds NaN or infinity, or None."""
    for name, array in arrays.items():
        if not all(np.isfinite(piece).all() for (piece,) in in_chunks(array)):
            return name.rpartition(".")[0]
    return None
