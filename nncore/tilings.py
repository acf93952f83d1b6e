"""How images are cut into tiles whose correlation takes fewer products than its formula."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from nncore.geometry import Geometry
from nncore.schemes import MOST_TAPS, Scheme, scheme
from nncore.windows import Extent

_WORTH = 0.6
_FEWEST_CHANNELS = 64
# The kernel's products with its tables are computed anew in each step.
_KERNEL_BYTES = 10 << 20


@dataclass(frozen=True, slots=True)
class Tiling:
    """`tiles` of `outputs` each, as (vertical, horizontal) pairs, that cover the output."""

    geometry: Geometry
    outputs: Extent
    tiles: Extent

    @classmethod
    def of(cls, geometry: Geometry, outputs: Extent) -> Tiling:
        """The tiling with tiles of so many outputs."""
        (rows, columns), (v, h) = geometry.output, outputs
        return cls(geometry, outputs, (-(-rows // v), -(-columns // h)))

    @property
    def sizes(self) -> Extent:
        """Points along each axis, which are as many as a tile reads places."""
        (v, h), (taps_v, taps_h) = self.outputs, self.geometry.kernel
        return v + taps_v - 1, h + taps_h - 1

    @property
    def points(self) -> int:
        """Products for each tile, channel and filter."""
        return self.sizes[0] * self.sizes[1]

    @property
    def covered(self) -> Extent:
        """Outputs that the tiles have room for."""
        return self.tiles[0] * self.outputs[0], self.tiles[1] * self.outputs[1]

    @property
    def exact(self) -> bool:
        """Whether the tiles are the output as it is."""
        return self.covered == self.geometry.output

    @property
    def products(self) -> int:
        """Products for each image, channel and filter."""
        return self.tiles[0] * self.tiles[1] * self.points

    def schemes(self, dtype: np.dtype[Any]) -> tuple[Scheme, Scheme]:
        """The schemes of both axes."""
        vertical, horizontal = (
            scheme(taps, dtype, outputs)
            for taps, outputs in zip(self.geometry.kernel, self.outputs, strict=True)
        )
        return vertical, horizontal


@cache
def tiling(geometry: Geometry, channels: int, filters: int) -> Tiling | None:
    """The tiling with the fewest products; None where it does not pay."""
    plain = geometry.strides == geometry.dilation == (1, 1) and not geometry.strict
    if not plain or min(channels, filters) < _FEWEST_CHANNELS or min(geometry.kernel) == 1:
        return None
    choices = [range(2, MOST_TAPS + 3 - taps) for taps in geometry.kernel]
    found = [Tiling.of(geometry, (v, h)) for v in choices[0] for h in choices[1]]
    small = [one for one in found if one.points * channels * filters * 4 <= _KERNEL_BYTES]
    best = min(small, key=lambda one: (one.products, one.points), default=None)
    (height, width), (taps_v, taps_h) = geometry.output, geometry.kernel
    worth = best is not None and best.products <= _WORTH * height * width * taps_v * taps_h
    return best if worth else None
