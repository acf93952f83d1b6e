"""A graph with a shared layer, a residual connection and two outputs, for generator and test."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.nncore.references.filling import EXAMPLES, fill

_LEFT_RIGHT = ["left", "right"]
GRAPH: dict[str, Any] = {
    "inputs": {name: {"shape": [4]} for name in _LEFT_RIGHT},
    "layers": [
        {"type": "dense", "name": "tower", "units": 4, "activation": "tanh", "inputs": ["left"]},
        {
            "type": "dense",
            "name": "twin",
            "units": 4,
            "activation": "tanh",
            "inputs": ["right"],
            "shares": "tower",
        },
        {"type": "add", "name": "residual", "inputs": ["tower", "left"]},
        {"type": "concatenate", "name": "both", "inputs": ["residual", "twin"]},
        {"type": "dense", "name": "digit", "units": 3, "inputs": ["both"]},
        {"type": "dense", "name": "ink", "units": 1, "inputs": ["both"]},
    ],
    "outputs": ["digit", "ink"],
}
LOSSES = {"digit": "cross_entropy", "ink": "mean_squared_error"}
LOSS_WEIGHTS = {"digit": 1.0, "ink": 0.3}


def inputs() -> dict[str, NDArray[np.float64]]:
    """Both inputs."""
    return {name: 2 * fill((EXAMPLES, 4), start) for start, name in enumerate(_LEFT_RIGHT)}


def targets() -> dict[str, NDArray[Any]]:
    """Classes, and numbers."""
    return {"digit": np.arange(EXAMPLES) % 3, "ink": fill((EXAMPLES, 1), 5)}


def weights() -> dict[str, NDArray[np.float64]]:
    """Every weight; the twin has none of its own."""
    shapes = {"tower": (4, 4), "digit": (8, 3), "ink": (8, 1)}
    return {
        f"{name}.{kind}": fill(shape if kind == "kernel" else shape[1:], start + len(kind))
        for start, (name, shape) in enumerate(shapes.items())
        for kind in ("kernel", "bias")
    }
