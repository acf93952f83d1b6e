"""Where the windows of convolutions and poolings lie: Keras' `valid` and `same` arithmetic."""

from __future__ import annotations

from typing import Literal

from nncore.errors import ArchitectureError
from nncore.shapes import Shape, written

Padding = Literal["valid", "same"]


def span(size: int, dilation: int) -> int:
    """Positions that a window of `size` taps, `dilation` apart, reaches over."""
    return (size - 1) * dilation + 1


def count(length: int, reach: int, stride: int, padding: Padding) -> int:
    """How many windows fit along an axis; not positive if none does."""
    return -(-length // stride) if padding == "same" else (length - reach) // stride + 1


def margins(length: int, reach: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Positions to add before and after an axis; of an odd number the greater part is after."""
    if padding == "valid":
        return 0, 0
    missing = max((count(length, reach, stride, padding) - 1) * stride + reach - length, 0)
    return missing // 2, missing - missing // 2


def require_image(shape: Shape, layer: str) -> tuple[int | None, int | None, int]:
    """(height, width, channels) of an input shape, or an error that says what is wrong with it."""
    if len(shape) != 3:
        raise ArchitectureError(
            "",
            f"{layer} needs an image [height, width, channels], got shape {written(shape)}; "
            "set the input's shape, e.g. [8, 8, 1]",
        )
    height, width, channels = shape
    if channels is None:
        raise ArchitectureError("", f"{layer} needs a known number of channels, got null")
    return height, width, channels


def windows_in_image(
    image: tuple[int | None, int | None],
    reach: tuple[int, int],
    strides: tuple[int, int],
    padding: Padding,
    field: str,
) -> tuple[int | None, int | None]:
    """(rows, columns) of windows, or an error at `field` if not one fits."""
    rows = _along(image[0], reach[0], strides[0], padding, field, "height")
    return rows, _along(image[1], reach[1], strides[1], padding, field, "width")


def _along(
    length: int | None, reach: int, stride: int, padding: Padding, field: str, axis: str
) -> int | None:
    if length is None:
        return None
    fitting = count(length, reach, stride, padding)
    if fitting < 1:
        raise ArchitectureError(
            f"/{field}",
            f"{reach} is larger than the input's {axis} {length}; "
            f'use padding "same" or a smaller {field.removesuffix("_size")}',
        )
    return fitting
