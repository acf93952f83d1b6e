"""What all poolings share: extremes and means of windows over images x (N, H, W, C)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import Array
from nncore.errors import ArchitectureError
from nncore.passes import Mask, Pass
from nncore.shapes import Shape, elements
from nncore.taps import framed, framed_shape, inside, taps
from nncore.windows import Windows

Cache = tuple[Array, Array, tuple[int, ...]]
"""The framed input, the output, the input's shape."""


_MOST_TAPS = 1 << 16


def check_taps(windows: Windows) -> None:
    """Raise ArchitectureError for windows that would be gone through for ages."""
    if elements(windows.size) > _MOST_TAPS:
        raise ArchitectureError(
            "/pool_size",
            f"a window has {elements(windows.size)} places, {_MOST_TAPS} are allowed; pool in "
            "several steps, or globally",
        )


def pool_kept(shape: Shape, windows: Windows) -> int:
    """Numbers that a pooling of images of a shape keeps: frames and dx beyond the image."""
    image, channels = windows.sized((shape[0], shape[1])), elements(shape[2:])
    frame = elements(windows.framed(image))
    return (2 * frame - elements(image)) * channels if frame > elements(image) else 0


def pool_scratch(output: Shape, examples: int) -> int:
    """Numbers that a pooling works with: shares of slopes, and who has won, in bytes."""
    return 3 * examples * elements(output) // 2


def pool_extremes(
    x: Array, windows: Windows, choose: np.ufunc, margin: float, pass_: Pass
) -> tuple[Array, Cache]:
    """The winner of each window and channel, y (N, OH, OW, C), by np.maximum or np.minimum.

    `margin` must never win.
    """
    frame = framed(x, windows, margin, pass_)
    y = _output(x, windows, pass_)
    parts = taps(frame, windows, x.shape)
    pass_.do(np.copyto, y, next(parts))
    for tap in parts:
        pass_.do(choose, y, tap, out=y)
    return y, (frame, y, x.shape)


def pool_extremes_back(cache: Cache, dy: Array, windows: Windows, pass_: Pass) -> Array:
    """The gradient dx: the slope of a window goes to the first of its winners, row by row."""
    frame, y, shape = cache
    dframe = pass_.buffer("dx", frame.shape, y.dtype)
    apart = all(size <= stride for size, stride in zip(windows.size, windows.strides, strict=True))
    if not apart or y.size * elements(windows.size) != dframe.size:
        pass_.do(dframe.fill, 0)
    share = pass_.scratch("share", y.shape, y.dtype)
    hit = pass_.scratch("hit", y.shape, np.dtype(bool))
    waiting = pass_.scratch("waiting", y.shape, np.dtype(bool))
    pass_.do(waiting.fill, True)
    for tap, dtap in zip(taps(frame, windows, shape), taps(dframe, windows, shape), strict=True):
        pass_.do(np.equal, tap, y, hit)
        pass_.do(np.logical_and, hit, waiting, hit)
        pass_.do(np.logical_xor, waiting, hit, waiting)
        pass_.do(np.multiply, hit, dy, dtap if apart else share)
        if not apart:
            pass_.do(np.add, dtap, share, dtap)
    return inside(dframe, windows, shape)


def pool_means(x: Array, windows: Windows, pass_: Pass) -> Array:
    """The mean of each window and channel, y (N, OH, OW, C), margins left out."""
    frame = framed(x, windows, 0, pass_)
    y = _output(x, windows, pass_)
    parts = taps(frame, windows, x.shape)
    np.copyto(y, next(parts))
    for tap in parts:
        y += tap
    y *= _shares(x.shape, windows, x)
    return y


def pool_means_back(shape: tuple[int, ...], dy: Array, windows: Windows, pass_: Pass) -> Array:
    """The gradient dx, for an input of that shape."""
    dframe = pass_.buffer("dx", framed_shape(shape, windows), dy.dtype)
    dframe.fill(0)
    share = pass_.scratch("share", dy.shape, dy.dtype)
    np.multiply(dy, _shares(shape, windows, dy), out=share)
    for dtap in taps(dframe, windows, shape):
        dtap += share
    return inside(dframe, windows, shape)


def _output(x: Array, windows: Windows, pass_: Pass) -> Array:
    rows, columns = windows.counts((x.shape[1], x.shape[2]))
    return pass_.buffer("y", (len(x), rows, columns, x.shape[3]), x.dtype)


def _shares(shape: tuple[int, ...], windows: Windows, like: Array) -> Array:
    """One over the positions of the image under each window, (OH, OW, 1) or a scalar."""
    if windows.padding == "valid":
        return np.array(1 / elements(windows.size), like.dtype)
    vertical, horizontal = (_covered(shape[1 + axis], axis, shape, windows) for axis in (0, 1))
    return (1 / np.multiply.outer(vertical, horizontal)[:, :, None]).astype(like.dtype)


def _covered(length: int, axis: int, shape: tuple[int, ...], windows: Windows) -> Array:
    image = (shape[1], shape[2])
    starts = np.arange(windows.counts(image)[axis]) * windows.strides[axis]
    starts -= windows.margins(image)[axis][0]
    ends = np.minimum(starts + windows.size[axis], length)
    return (ends - np.maximum(starts, 0)).astype(float)


@dataclass(frozen=True, slots=True)
class Winners:
    """Where the maxima of x (N, T, C) lie, (N, 1, C), and which examples (N, 1, 1) have any."""

    steps: int
    places: NDArray[np.intp]
    some: NDArray[np.bool_] | None


def global_maximum(x: Array, mask: Mask | None) -> tuple[Array, Winners]:
    """The first maximum (N, 1, C) over the steps of x (N, T, C) that the mask (N, T) admits.

    Zero where it admits none.
    """
    source = x if mask is None else np.where(mask[:, :, None], x, -np.inf).astype(x.dtype)
    places = source.argmax(axis=1, keepdims=True)
    y = np.take_along_axis(x, places, axis=1)
    some = None if mask is None else np.logical_or.reduce(mask, axis=1)[:, None, None]
    if some is not None:
        y *= some
    return y, Winners(x.shape[1], places, some)


def global_maximum_back(winners: Winners, dy: Array, pass_: Pass) -> Array:
    """The gradient dx (N, T, C)."""
    places = winners.places
    slopes = dy.reshape(places.shape)
    if winners.some is not None:
        slopes = slopes * winners.some
    dx = pass_.buffer("dx", (len(places), winners.steps, places.shape[2]), dy.dtype)
    dx.fill(0)
    np.put_along_axis(dx, places, slopes, axis=1)
    return dx
