"""Adam and its kin: steps scaled by running means of the gradient and of its square.

m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w -= rate m' / (sqrt(v') + epsilon) with the means
freed of their start at zero, m' = m / (1 - b1^t), v' = v / (1 - b2^t). Kingma and Ba, 2015.
The state holds m / (1 - b1) and v / (1 - b2), which saves a pass over each; what they lack is in
two numbers for each step: with c = sqrt((1 - b2) / (1 - b2^t)) the step is
rate (1 - b1) / (1 - b1^t) / c times m / (1 - b1) / (sqrt(v / (1 - b2)) + epsilon / c).
amsgrad: the largest v so far in place of v. Reddi, Kale and Kumar, 2018. adam's weight decay adds
weight_decay * w to g; adamw's shrinks w by rate * weight_decay first. Loshchilov and Hutter, 2019.
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
from nncore.vectors import zeros_like


@register("adam")
@dataclass(frozen=True, slots=True)
class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square."""

    slots: ClassVar[tuple[str, ...]] = ("mean", "square")
    decoupled: ClassVar[bool] = False

    learning_rate: Annotated[float, Range(min=0)] = 0.001
    beta_1: Annotated[float, Range(min=0, below=1)] = 0.9
    beta_2: Annotated[float, Range(min=0, below=1)] = 0.999
    epsilon: Annotated[float, Range(above=0)] = 1e-8
    amsgrad: bool = False
    weight_decay: Annotated[float, Range(min=0)] = 0.0

    def start(self, params: Mapping[str, Array]) -> Slots:
        state = Optimizer.start(self, params)
        if self.amsgrad:
            state["highest"] = zeros_like(params)
        return state

    def update(
        self,
        params: Mapping[str, Array],
        gradients: Mapping[str, Array],
        state: Slots,
        step: int,
        learning_rate: float,
    ) -> None:
        widen = math.sqrt((1 - self.beta_2) / (1 - self.beta_2**step))
        rate = learning_rate * (1 - self.beta_1) / (1 - self.beta_1**step) / widen
        slots = ("mean", "square", "highest") if self.amsgrad else ("mean", "square")
        for name, gradient in gradients.items():
            arrays = (params[name], gradient, *(state[slot][name] for slot in slots))
            for weight, slope, mean, square, *highest in in_chunks(*arrays):
                if self.decoupled:
                    weight *= 1 - learning_rate * self.weight_decay
                elif self.weight_decay:
                    slope += weight * weight.dtype.type(self.weight_decay)
                mean *= self.beta_1
                mean += slope
                square *= self.beta_2
                slope *= slope
                square += slope
                for most in highest:
                    np.maximum(most, square, out=most)
                # The gradient has done its duty: its memory takes the step.
                np.sqrt(highest[0] if highest else square, slope)
                slope += self.epsilon / widen
                np.divide(mean, slope, slope)
                slope *= rate
                weight -= slope


@register("adamw")
@dataclass(frozen=True, slots=True)
class AdamW(Adam):
    """Adam with a weight decay that the running means do not see."""

    decoupled: ClassVar[bool] = True

    weight_decay: Annotated[float, Range(min=0)] = 0.01
