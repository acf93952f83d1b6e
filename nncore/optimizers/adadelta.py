"""Adadelta: steps as large, in root mean square, as recent ones, against the gradient's.

v = rho v + (1 - rho) g^2, d = g sqrt(u + epsilon) / sqrt(v + epsilon), u = rho u + (1 - rho) d^2,
w -= rate d. Zeiler, 2012.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from nncore.arrays import Array
from nncore.documents.limits import Range
from nncore.optimizers.chunks import in_chunks
from nncore.optimizers.optimizer import Optimizer, Slots, decayed
from nncore.registry import register


@register("adadelta")
@dataclass(frozen=True, slots=True)
class Adadelta(Optimizer):
    """Steps that find their own size."""

    slots: ClassVar[tuple[str, ...]] = ("square", "step_square")

    learning_rate: Annotated[float, Range(min=0)] = 1.0
    rho: Annotated[float, Range(min=0, below=1)] = 0.9
    epsilon: Annotated[float, Range(above=0)] = 1e-6
    weight_decay: Annotated[float, Range(min=0)] = 0.0

    def update(
        self,
        params: Mapping[str, Array],
        gradients: Mapping[str, Array],
        state: Slots,
        step: int,
        learning_rate: float,
    ) -> None:
        for name, gradient in gradients.items():
            arrays = (params[name], gradient, state["square"][name], state["step_square"][name])
            for weight, slope, square, moved in in_chunks(*arrays):
                slope = decayed(slope, weight, self.weight_decay)
                square *= self.rho
                square += (1 - self.rho) * np.square(slope)
                move = np.sqrt(moved + self.epsilon)
                move /= np.sqrt(square + self.epsilon)
                move *= slope
                moved *= self.rho
                moved += (1 - self.rho) * np.square(move)
                weight -= learning_rate * move
