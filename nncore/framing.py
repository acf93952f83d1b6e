"""Margins put around images and cut off again; the two are each other's adjoint."""

from __future__ import annotations

from nncore.arrays import Array
from nncore.errors import ArchitectureError
from nncore.passes import Pass
from nncore.shapes import Amount, Amounts, check_added, pair
from nncore.windows import Extent

Frame = tuple[Extent, Extent]
"""((above, below), (left, right))."""

Margins = Amount | tuple[Amounts, Amounts]
"""A document's margins: one number, [vertical, horizontal] or [[above, below], [left, right]]."""


def frame_of(margins: int | tuple[int | Extent, int | Extent]) -> Frame:
    """A `Margins` field in full."""
    vertical, horizontal = (margins, margins) if isinstance(margins, int) else margins
    return pair(vertical), pair(horizontal)


def grown(length: int | None, ends: Extent) -> int | None:
    """A length with margins at both ends. Raises ArchitectureError at `padding`."""
    check_added(length, sum(ends), "padding")
    return None if length is None else length + sum(ends)


def shrunk(length: int | None, ends: Extent, axis: str) -> int | None:
    """A length without its ends, or an error at `cropping` if nothing remains."""
    if length is not None and length <= sum(ends):
        raise ArchitectureError(
            "/cropping", f"{sum(ends)} leaves nothing of the input's {axis} {length}; crop less"
        )
    return None if length is None else length - sum(ends)


def frame_with_zeros(x: Array, frame: Frame, pass_: Pass) -> Array:
    """Images (N, H, W, C) with zeros around them."""
    (above, below), (left, right) = frame
    n, height, width, channels = x.shape
    shape = (n, above + height + below, left + width + right, channels)
    framed = pass_.buffer("framed", shape, x.dtype)
    framed.fill(0)
    framed[:, above : above + height, left : left + width] = x
    return framed


def cut_out(x: Array, frame: Frame) -> Array:
    """Images (N, H, W, C) without their margins, as a view."""
    (above, below), (left, right) = frame
    return x[:, above : x.shape[1] - below, left : x.shape[2] - right]
