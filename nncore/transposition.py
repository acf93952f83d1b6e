"""What transposed convolutions share: the convolution that they are the adjoint of.

A transposed convolution takes x, the output of some convolution, back to the size y of its input.
The convolution's zero margins are those for which y has the length that Keras documents.
"""

from __future__ import annotations

from dataclasses import dataclass

from nncore.arrays import Array, Params
from nncore.convolution import add_bias, bias_gradient
from nncore.correlation import correlate, correlate_back, kernel_gradient, scratch
from nncore.errors import ArchitectureError
from nncore.geometry import Geometry
from nncore.passes import Pass
from nncore.shapes import Shape, check_added, elements
from nncore.windows import Extent, Padding, check_reach, span


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a transposed convolution; `extra` (output_padding) None: chosen by the rest."""

    size: int
    stride: int
    dilation: int
    extra: int | None
    padding: Padding

    @property
    def reach(self) -> int:
        """Positions of y that one x reaches."""
        return span(self.size, self.dilation)

    def length(self, steps: int) -> int:
        """The length of y for `steps` of x; may not be positive."""
        if self.padding == "same":
            if self.extra is None:
                return steps * self.stride
            return (steps - 1) * self.stride + self.reach % 2 + self.extra
        extra = max(self.stride - self.reach, 0) if self.extra is None else self.extra
        return (steps - 1) * self.stride + self.reach + extra

    def fitting(self, steps: int | None) -> int | None:
        """The length of y, or an error at the field that makes it impossible."""
        if self.extra is not None and self.extra >= self.stride:
            raise ArchitectureError(
                "/output_padding", f"{self.extra} must be smaller than strides {self.stride}"
            )
        if self.padding == "same":
            field = "kernel_size"
            check_reach(self.reach, self.dilation, steps and self.length(steps), field)
        check_added(steps, self.stride, "strides")
        if steps is None:
            check_added(steps, self.reach, "kernel_size" if self.dilation == 1 else "dilation_rate")
            return None
        length = self.length(steps)
        if length < 1:
            raise ArchitectureError(
                "/output_padding", f"{self.extra} leaves nothing of the output; leave it out"
            )
        return length

    @property
    def offset(self) -> int:
        """How many positions of the first x's reach are cut off before y."""
        if self.padding == "valid":
            return 0
        # What is added around x spread apart by the stride; the greater half of it before.
        around = self.length(1) + self.reach - 2
        return self.reach - 1 - min(around - around // 2, self.reach - 1)


@dataclass(frozen=True, slots=True)
class Transposition:
    """Both axes of a transposed convolution of images."""

    vertical: Axis
    horizontal: Axis

    def geometry(self, x: Extent) -> Geometry:
        """The geometry of the convolution from y to images x of that size."""
        axes = (self.vertical, self.horizontal)
        frame = [
            max(axis.offset + axis.length(steps), (steps - 1) * axis.stride + axis.reach)
            for axis, steps in zip(axes, x, strict=True)
        ]
        return Geometry(
            kernel=(self.vertical.size, self.horizontal.size),
            strides=(self.vertical.stride, self.horizontal.stride),
            dilation=(self.vertical.dilation, self.horizontal.dilation),
            frame=(frame[0], frame[1]),
            offset=(self.vertical.offset, self.horizontal.offset),
            output=x,
        )

    def scratch(self, shape: Shape, filters: int, examples: int) -> int:
        """Numbers that the passes over images of a shape work with."""
        height, width = (size or 1 for size in shape[:2])
        size = self.vertical.length(height), self.horizontal.length(width)
        geometry, channels = self.geometry((height, width)), elements(shape[2:])
        return scratch(geometry, size, (filters, channels), 1, examples)

    def forward(self, params: Params, x: Array, pass_: Pass) -> Array:
        """The output y (N, OH, OW, F) of x (N, H, W, C) under a kernel (KH, KW, F, C)."""
        kernel, (n, height, width, _) = params["kernel"], x.shape
        size = self.vertical.length(height), self.horizontal.length(width)
        y = pass_.buffer("y", (n, *size, kernel.shape[2]), x.dtype)
        correlate_back(x, kernel, self.geometry((height, width)), 1, y, pass_)
        return add_bias(params, y)

    def backward(
        self, params: Params, x: Array, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        """The gradients of x, kernel and bias from dy (N, OH, OW, F)."""
        kernel, geometry = params["kernel"], self.geometry((x.shape[1], x.shape[2]))
        dkernel = pass_.buffer("dkernel", kernel.shape, x.dtype)
        kernel_gradient(dy, x, geometry, 1, dkernel, pass_)
        gradients = {"kernel": dkernel} | bias_gradient(params, dy, pass_)
        if not pass_.needs_dx:
            return None, gradients
        dx = pass_.buffer("dx", x.shape, x.dtype)
        correlate(dy, kernel, geometry, 1, dx, pass_)
        return dx, gradients
