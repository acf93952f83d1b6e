"""The weights of a network: fresh ones, and whether given ones fit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike

from nncore.arrays import Array, Params
from nncore.errors import few
from nncore.operation import Weight
from nncore.seeds import generator
from nncore.vectors import Layout


def fresh(weights: Mapping[str, Weight], seed: int, dtype: DTypeLike) -> Params:
    """Start values; each depends on the seed and the weight's name alone. Raises ValueError."""
    precision = np.dtype(dtype)
    if precision not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32 or float64, got {precision}")
    # One behind the other, the trainable ones first: an optimizer then takes them as one vector.
    order = sorted(weights, key=lambda name: not weights[name].trainable)
    layout = Layout({name: weights[name].shape for name in order})
    views = layout.zeros(precision)
    for name, weight in weights.items():
        views[name][...] = weight.initializer.draw(
            generator(seed, "init", name), weight.shape, precision
        )
    return {name: views[name] for name in weights}


def check_weights(shapes: Mapping[str, tuple[int, ...]], params: Mapping[str, Array]) -> None:
    """Raise ValueError naming a tensor that is missing, unknown or of another shape."""
    for name, shape in shapes.items():
        if name not in params:
            raise ValueError(f"weight {name!r} is missing; its shape is {shape}")
        if params[name].shape != shape:
            raise ValueError(f"weight {name!r} must have shape {shape}, got {params[name].shape}")
        if params[name].dtype.kind != "f":
            raise ValueError(f"weight {name!r} must be floating-point, got {params[name].dtype}")
    for name in params:
        if name not in shapes:
            raise ValueError(f"unknown weight {name!r}; the network has {few(shapes)}")


def check_trainable(shapes: Mapping[str, tuple[int, ...]], params: Mapping[str, Array]) -> None:
    """The same, and that training can change the arrays in place."""
    check_weights(shapes, params)
    for name, weight in params.items():
        if not (weight.flags.writeable and weight.flags.c_contiguous):
            raise ValueError(f"weight {name!r} must be a writable, contiguous array")
