"""Adam: steps scaled by running means of the gradient and of its square.

m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w -= rate m' / (sqrt(v') + epsilon) with the means
freed of their start at zero, m' = m / (1 - b1^t), v' = v / (1 - b2^t). Kingma and Ba, 2015.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from nncore.arrays import Array
from nncore.documents.limits import Range
from nncore.optimizers.chunks import in_chunks
from nncore.optimizers.optimizer import Optimizer, Slots
from nncore.registry import register


@register("adam")
@dataclass(frozen=True, slots=True)
class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square."""

    slots: ClassVar[tuple[str, ...]] = ("mean", "square")

    learning_rate: Annotated[float, Range(min=0)] = 0.001
    beta_1: Annotated[float, Range(min=0, below=1)] = 0.9
    beta_2: Annotated[float, Range(min=0, below=1)] = 0.999
    epsilon: Annotated[float, Range(above=0)] = 1e-8

    def update(
        self,
        params: Mapping[str, Array],
        gradients: Mapping[str, Array],
        state: Slots,
        step: int,
        learning_rate: float,
    ) -> None:
        rate = learning_rate / (1 - self.beta_1**step)
        widen = 1 / math.sqrt(1 - self.beta_2**step)
        for name, gradient in gradients.items():
            arrays = (params[name], gradient, state["mean"][name], state["square"][name])
            for weight, slope, mean, square in in_chunks(*arrays):
                mean *= self.beta_1
                mean += (1 - self.beta_1) * slope
                square *= self.beta_2
                square += (1 - self.beta_2) * np.square(slope)
                scale = np.sqrt(square)
                scale *= widen
                scale += self.epsilon
                np.divide(mean, scale, out=scale)
                scale *= rate
                weight -= scale
