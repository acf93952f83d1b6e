"""Huber's loss: with e = y - t, e^2 / 2 for |e| <= delta, else delta |e| - delta^2 / 2.

dL/dy = e cut off at +-delta. Huber, 1964.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from nncore.arrays import Array
from nncore.documents.limits import Range
from nncore.losses.elementwise import Elementwise
from nncore.registry import register


@register("huber")
@dataclass(frozen=True, slots=True)
class Huber(Elementwise):
    """Squares of small differences, absolute values of those beyond `delta`."""

    delta: Annotated[float, Range(above=0)] = 1.0

    def elements(self, outputs: Array, wanted: Array) -> tuple[Array, Array]:
        errors = outputs - wanted
        slopes = np.clip(errors, -self.delta, self.delta)
        # c (e - c / 2) is e^2 / 2 inside, where c = e, and delta |e| - delta^2 / 2 outside.
        return slopes * (errors - 0.5 * slopes), slopes
