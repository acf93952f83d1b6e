"""Lion: steps of one size, in the direction of the signs of a momentum.

w -= rate (sign(b1 m + (1 - b1) g) + weight_decay w), m = b2 m + (1 - b2) g. Chen et al., 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from nncore.arrays import Array
from nncore.documents.limits import Range
from nncore.optimizers.chunks import in_chunks
from nncore.optimizers.optimizer import Optimizer, Slots
from nncore.registry import register


@register("lion")
@dataclass(frozen=True, slots=True)
class Lion(Optimizer):
    """Steps of one size, in the direction of the signs of a momentum."""

    slots: ClassVar[tuple[str, ...]] = ("mean",)

    learning_rate: Annotated[float, Range(min=0)] = 0.0001
    beta_1: Annotated[float, Range(min=0, below=1)] = 0.9
    beta_2: Annotated[float, Range(min=0, below=1)] = 0.99
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
            for weight, slope, mean in in_chunks(params[name], gradient, state["mean"][name]):
                move = self.beta_1 * mean
                move += (1 - self.beta_1) * slope
                np.sign(move, out=move)
                if self.weight_decay:
                    move += self.weight_decay * weight
                weight -= learning_rate * move
                mean *= self.beta_2
                mean += (1 - self.beta_2) * slope
