"""Adagrad: steps scaled by the root of the sum of all squared gradients so far.

s = s + g^2, w -= rate / (1 + (t - 1) learning_rate_decay) * g / (sqrt s + epsilon). Duchi, Hazan
and Singer, 2011.
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
from nncore.vectors import zeros_like


@register("adagrad")
@dataclass(frozen=True, slots=True)
class Adagrad(Optimizer):
    """Smaller and smaller steps, faster so where gradients have been large."""

    slots: ClassVar[tuple[str, ...]] = ("sum",)

    learning_rate: Annotated[float, Range(min=0)] = 0.01
    initial_accumulator_value: Annotated[float, Range(min=0)] = 0.0
    epsilon: Annotated[float, Range(above=0)] = 1e-10
    learning_rate_decay: Annotated[float, Range(min=0)] = 0.0
    weight_decay: Annotated[float, Range(min=0)] = 0.0

    def start(self, params: Mapping[str, Array]) -> Slots:
        sums = zeros_like(params)
        for total in sums.values() if self.initial_accumulator_value else ():
            total += self.initial_accumulator_value
        return {"sum": sums}

    def update(
        self,
        params: Mapping[str, Array],
        gradients: Mapping[str, Array],
        state: Slots,
        step: int,
        learning_rate: float,
    ) -> None:
        rate = learning_rate / (1 + (step - 1) * self.learning_rate_decay)
        for name, gradient in gradients.items():
            for weight, slope, total in in_chunks(params[name], gradient, state["sum"][name]):
                slope = decayed(slope, weight, self.weight_decay)
                total += np.square(slope)
                scale = np.sqrt(total)
                scale += self.epsilon
                weight -= rate * slope / scale
