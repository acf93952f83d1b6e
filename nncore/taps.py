"""Windows over framed images, tap by tap.

A tap is the part of the framed image (N, H', W', C) that meets one place of every window; it has
the size of the output (N, OH, OW, C).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nncore.arrays import Array
from nncore.passes import Pass
from nncore.windows import Windows


def taps(framed: Array, windows: Windows, image: tuple[int, ...]) -> Iterator[Array]:
    """All taps of a framed batch of images of shape (N, H, W, C), row by row, as views."""
    rows, columns = windows.counts((image[1], image[2]))
    (down, right), (apart_v, apart_h) = windows.strides, windows.dilation
    for i, j in np.ndindex(windows.size):
        top, left = i * apart_v, j * apart_h
        vertical = slice(top, top + down * (rows - 1) + 1, down)
        horizontal = slice(left, left + right * (columns - 1) + 1, right)
        yield framed[:, vertical, horizontal]


def framed(x: Array, windows: Windows, margin: float, pass_: Pass) -> Array:
    """The images x inside the margins that the windows want; x itself if none."""
    shape = framed_shape(x.shape, windows)
    if shape == x.shape:
        return x
    frame = pass_.buffer("framed", shape, x.dtype)
    pass_.do(frame.fill, margin)
    pass_.do(np.copyto, inside(frame, windows, x.shape), x)
    return frame


def framed_shape(image: tuple[int, ...], windows: Windows) -> tuple[int, ...]:
    """The shape of a batch of images (N, H, W, C) with its margins."""
    n, height, width, channels = image
    vertical, horizontal = windows.margins((height, width))
    return n, height + sum(vertical), width + sum(horizontal), channels


def inside(frame: Array, windows: Windows, image: tuple[int, ...]) -> Array:
    """The images (N, H, W, C) in a framed batch, as a view."""
    (top, _), (left, _) = windows.margins((image[1], image[2]))
    return frame[:, top : top + image[1], left : left + image[2]]
