"""Where the windows of convolutions and poolings lie: Keras' `valid` and `same` arithmetic.

Everything slides over images. A sequence [steps, channels] is an image of width 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nncore.errors import ArchitectureError
from nncore.shapes import Shape, written

Padding = Literal["valid", "same"]
CausalPadding = Literal["valid", "same", "causal"]

Extent = tuple[int, int]
"""(vertical, horizontal)."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of size[0] x size[1] taps, `dilation` apart, every `strides` positions."""

    size: Extent
    strides: Extent
    padding: CausalPadding = "valid"
    dilation: Extent = (1, 1)

    @classmethod
    def along(
        cls, size: int, stride: int, padding: CausalPadding = "valid", dilation: int = 1
    ) -> Windows:
        """Windows along a sequence."""
        return cls((size, 1), (stride, 1), padding, (dilation, 1))

    @property
    def reach(self) -> Extent:
        """Positions that a window reaches over."""
        return span(self.size[0], self.dilation[0]), span(self.size[1], self.dilation[1])

    def counts(self, image: Extent) -> Extent:
        """(rows, columns) of windows in an image (height, width)."""
        rows, columns = (count(*axis, self.padding) for axis in self._axes(image))
        return rows, columns

    def margins(self, image: Extent) -> tuple[Extent, Extent]:
        """((above, below), (left, right)): positions to add around an image."""
        vertical, horizontal = (margins(*axis, self.padding) for axis in self._axes(image))
        return vertical, horizontal

    def sized(self, image: tuple[int | None, int | None]) -> Extent:
        """(height, width) of an image; where they vary, the smallest that a window fits into."""
        height, width = (
            size or (reach if self.padding == "valid" else 1)
            for size, reach in zip(image, self.reach, strict=True)
        )
        return height, width

    def framed(self, image: Extent) -> Extent:
        """(height, width) of an image with its margins."""
        vertical, horizontal = self.margins(image)
        return image[0] + sum(vertical), image[1] + sum(horizontal)

    def in_image(
        self, image: tuple[int | None, int | None], field: str
    ) -> tuple[int | None, int | None]:
        """(rows, columns) of windows, or an error at `field` if not one fits."""
        return self._fitting(0, image[0], field, "height"), self._fitting(
            1, image[1], field, "width"
        )

    def in_sequence(self, steps: int | None, field: str) -> int | None:
        """How many windows fit along a sequence, or an error at `field` if not one does."""
        return self._fitting(0, steps, field, "length")

    def _axes(self, image: Extent) -> list[tuple[int, int, int]]:
        return list(zip(image, self.reach, self.strides, strict=True))

    def _fitting(self, axis: int, length: int | None, field: str, word: str) -> int | None:
        reach = self.reach[axis]
        if self.padding != "valid":
            check_reach(reach, self.dilation[axis], length, field)
        if length is None:
            return None
        fitting = count(length, reach, self.strides[axis], self.padding)
        if fitting < 1:
            raise ArchitectureError(
                f"/{field}",
                f"{reach} is larger than the input's {word} {length}; "
                f'use padding "same" or a smaller {field.removesuffix("_size")}',
            )
        return fitting


_FARTHEST = 1024
_FARTHEST_TIMES = 16


def check_reach(reach: int, dilation: int, length: int | None, field: str) -> None:
    """Raise ArchitectureError for windows that see next to nothing but padding."""
    most = max(_FARTHEST, _FARTHEST_TIMES * (length or 0))
    if reach > most:
        where = field if dilation == 1 else "dilation_rate"
        size = "of varying size" if length is None else f"of size {length}"
        raise ArchitectureError(
            f"/{where}",
            f"a window reaches over {reach} positions of an axis {size}, nearly all of them "
            f"padding; {most} are allowed, make the {where.removesuffix('_size')} smaller",
        )


def span(size: int, dilation: int) -> int:
    """Positions that a window of `size` taps, `dilation` apart, reaches over."""
    return (size - 1) * dilation + 1


def count(length: int, reach: int, stride: int, padding: CausalPadding) -> int:
    """How many windows fit along an axis; not positive if none does."""
    return (length - reach) // stride + 1 if padding == "valid" else -(-length // stride)


def margins(length: int, reach: int, stride: int, padding: CausalPadding) -> tuple[int, int]:
    """Positions to add before and after an axis; of an odd number the greater part is after."""
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return reach - 1, 0
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
    return shape[0], shape[1], _known_channels(shape, layer)


def require_sequence(shape: Shape, layer: str) -> tuple[int | None, int]:
    """(steps, channels) of an input shape, or an error that says what is wrong with it."""
    if len(shape) != 2:
        raise ArchitectureError(
            "",
            f"{layer} needs a sequence [steps, channels], got shape {written(shape)}; "
            "set the input's shape, e.g. [100, 4]",
        )
    return shape[0], _known_channels(shape, layer)


def _known_channels(shape: Shape, layer: str) -> int:
    channels = shape[-1]
    if channels is None:
        raise ArchitectureError("", f"{layer} needs a known number of channels, got null")
    return channels
