"""Inputs and weights by formula, so that the recorded files hold nothing but results.

fill(shape, s) = sin(s + 0), sin(s + 1), ... / 2 in row-major order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EXAMPLES = 3

_STARTS = {
    "kernel": 1,
    "recurrent_kernel": 2,
    "bias": 3,
    "gamma": 5,
    "beta": 6,
    "moving_mean": 7,
    "moving_variance": 8,
    "embeddings": 9,
    "alpha": 10,
    "depthwise_kernel": 11,
    "pointwise_kernel": 12,
    "slope": 13,
    "amplitude": 14,
    "frequency": 15,
}
_BACKWARD = 20


def fill(shape: Sequence[int], start: float) -> Array:
    """Numbers in [-.5, .5] of that shape."""
    return 0.5 * np.sin(start + np.arange(np.prod(shape, dtype=int))).reshape(shape)


def weight(name: str, shape: Sequence[int], layer: int = 0) -> Array:
    """The weight `kernel`, `backward.bias`, ... of a case's layer number `layer`."""
    direction, _, short = name.rpartition(".")
    start = _STARTS[short] + _BACKWARD * (direction == "backward") + 0.37 * layer
    return fill(shape, start) + (short == "moving_variance")


def numbers(
    shape: Sequence[int], place: int = 0, lengths: Sequence[int] = (), pad: float = 0
) -> Array:
    """Examples (N, *shape) for the input number `place`; `pad` after an example's length."""
    x = fill((EXAMPLES, *shape), 0.3 + place)
    for example, length in enumerate(lengths):
        x[example, length:] = pad
    return x


def tokens(shape: Sequence[int], below: int, lengths: Sequence[int] = ()) -> NDArray[np.int64]:
    """Examples (N, *shape) of ids from 1; zeros after an example's length."""
    ids = np.arange(EXAMPLES * np.prod(shape, dtype=int)) * 7 % (below - 1) + 1
    ids = ids.reshape(EXAMPLES, *shape)
    for example, length in enumerate(lengths):
        ids[example, length:] = 0
    return ids


def pull(shape: Sequence[int], lengths: Sequence[int] = ()) -> Array:
    """dL/dy for outputs of that shape; zeros where a sequence's output is padding."""
    slope = fill(shape, 30)
    for example, length in enumerate(lengths):
        slope[example, length:] = 0
    return slope


def filled(shapes: Mapping[str, Sequence[int]], layer: int = 0) -> dict[str, Array]:
    """A layer's weights by short name."""
    return {name: weight(name, shape, layer) for name, shape in shapes.items()}
