"""Gradients against finite differences, the proof that backward passes are right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nncore.arrays import Array, Params
from nncore.losses import Loss
from nncore.network import Network


def numeric_gradient(function: Callable[[], float], array: Array, step: float = 1e-6) -> Array:
    """Central differences of `function` in every element of `array`, which it reads in place."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + step
        above = function()
        array[index] = value - step
        below = function()
        array[index] = value
        gradient[index] = (above - below) / (2 * step)
    return gradient


def relative_error(one: Array, other: Array) -> float:
    """The largest difference of two arrays relative to their largest element (at least 1e-8)."""
    scale = max(float(np.abs(array).max(initial=1e-8)) for array in (one, other))
    return float(np.abs(one - other).max(initial=0)) / scale


def check_gradients(
    network: Network,
    params: Params,
    x: ArrayLike,
    y: ArrayLike,
    loss: str | Mapping[str, Any] | Loss,
) -> dict[str, float]:
    """The relative error of each weight's gradient; params must be float64 for it to mean much."""

    def value() -> float:
        return network.loss_and_grads(params, x, y, loss)[0]

    _, gradients = network.loss_and_grads(params, x, y, loss)
    return {
        name: relative_error(gradient, numeric_gradient(value, params[name]))
        for name, gradient in gradients.items()
    }
