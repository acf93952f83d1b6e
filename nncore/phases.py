"""Dilated correlations as plain ones: every d-th element of an image makes an image of its own.

A kernel whose taps are d elements apart meets only elements of one such phase; there they lie side
by side, and so can be multiplied together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.geometry import Geometry
from nncore.passes import Pass
from nncore.windows import Extent


@dataclass(frozen=True, slots=True)
class Phases:
    """The phases under a dilated kernel; strides 1."""

    geometry: Geometry

    @property
    def plain(self) -> Geometry:
        """What is left to do for each phase of a framed image."""
        (rows, columns), (v, h) = self.geometry.output, self.geometry.dilation
        output = -(-rows // v), -(-columns // h)
        taps_v, taps_h = self.geometry.kernel
        frame = output[0] + taps_v - 1, output[1] + taps_h - 1
        return Geometry(self.geometry.kernel, (1, 1), (1, 1), frame, (0, 0), output)

    @staticmethod
    def serve(geometry: Geometry) -> bool:
        """Whether there are horizontal taps to bring together."""
        return geometry.dilation[1] > 1 and geometry.kernel[1] > 1

    def room(self, name: str, examples: int, size: Extent, like: Array, p: Pass) -> Array:
        """A buffer for the phases (N, v, h, height, width, C) of what has as many channels."""
        shape = (examples, *self.geometry.dilation, *size, like.shape[3])
        return p.scratch(name, shape, like.dtype)

    def split(self, x: Array, p: Pass) -> Array:
        """The framed phases (N v h, height, width, C) of images (N, H, W, C)."""
        room = self.room("phases", len(x), self.plain.frame, x, p)
        p.do(room.fill, 0)
        for phase, part in self._each(room):
            source, target = x, part
            for axis in (1, 2):
                apart, offset = self.geometry.dilation[axis - 1], self.geometry.offset[axis - 1]
                first = (phase[axis - 1] - offset) % apart
                every = (slice(None),) * axis
                source = source[*every, first::apart]
                place = (first + offset) // apart
                target = target[*every, place : place + source.shape[axis]]
            p.do(np.copyto, _whole(target), _whole(source))
        return room.reshape(-1, *room.shape[3:])

    def join(self, room: Array, y: Array, p: Pass) -> None:
        """Put outputs (N, v, h, rows, columns, F) of the phases together, into y (N, OH, OW, F)."""
        v, h = self.geometry.dilation
        for phase, part in self._each(room):
            target = y[:, phase[0] :: v, phase[1] :: h]
            p.do(np.copyto, _whole(target), _whole(part[:, : target.shape[1], : target.shape[2]]))

    def _each(self, room: Array) -> Iterator[tuple[Extent, Array]]:
        for v, h in np.ndindex(self.geometry.dilation):
            yield (v, h), room[:, v, h]


def _whole(values: Array) -> Array:
    """The channels of each place as one item: copied so, short runs take half the time."""
    if values.strides[-1] != values.itemsize:
        return values
    return values.view(np.dtype((np.void, values.shape[-1] * values.itemsize)))
