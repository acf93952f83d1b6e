"""Which elements of images meet which taps of a convolution's kernel."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.windows import Extent, Windows


@dataclass(frozen=True, slots=True)
class Geometry:
    """Which elements meet which taps of the kernel, as (vertical, horizontal) pairs.

    The input is laid into a zero frame, its first element at place `offset`. Output o at tap i
    reads place `strides` * o + `dilation` * i. `strict`: what an output does not read may not even
    change its rounding.
    """

    kernel: Extent
    strides: Extent
    dilation: Extent
    frame: Extent
    offset: Extent
    output: Extent
    strict: bool = False

    @classmethod
    def over(cls, windows: Windows, image: Extent) -> Geometry:
        """The geometry of windows over images of a size."""
        (top, bottom), (left, right) = windows.margins(image)
        return cls(
            kernel=windows.size,
            strides=windows.strides,
            dilation=windows.dilation,
            frame=(image[0] + top + bottom, image[1] + left + right),
            offset=(top, left),
            output=windows.counts(image),
            strict=windows.padding == "causal",
        )

    def adjoint(self, image: Extent) -> Geometry:
        """The geometry that takes dy back to an input of this size; all strides must be 1."""
        reach_v = (self.kernel[0] - 1) * self.dilation[0]
        reach_h = (self.kernel[1] - 1) * self.dilation[1]
        offset = (reach_v - self.offset[0], reach_h - self.offset[1])
        return Geometry(
            kernel=self.kernel,
            strides=(1, 1),
            dilation=self.dilation,
            frame=(
                max(image[0] + reach_v, offset[0] + self.output[0]),
                max(image[1] + reach_h, offset[1] + self.output[1]),
            ),
            offset=offset,
            output=image,
            strict=self.strict,
        )

    def places(self, tap: Extent, rows: slice) -> tuple[slice, slice]:
        """Where in the frame the outputs of these rows read at one tap."""
        (down, right), (apart_v, apart_h) = self.strides, self.dilation
        top, left = rows.start * down + tap[0] * apart_v, tap[1] * apart_h
        height, width = (rows.stop - rows.start - 1) * down, (self.output[1] - 1) * right
        return slice(top, top + height + 1, down), slice(left, left + width + 1, right)
