"""NAdam: Adam that looks ahead as Nesterov's momentum does.

With u_t = b1 (1 - 0.96^(t d) / 2), d = momentum_decay and U_t = u_1 ... u_t:
w -= rate ((1 - u_t) g / (1 - U_t) + u_(t+1) m / (1 - U_(t+1))) / (sqrt(v') + epsilon), with m, v
and v' as in Adam. Dozat, 2016.
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
from nncore.optimizers.optimizer import Optimizer, Slots, decayed
from nncore.registry import register


@register("nadam")
@dataclass(frozen=True, slots=True)
class Nadam(Optimizer):
    """Adam with Nesterov's momentum, which grows over the first steps."""

    slots: ClassVar[tuple[str, ...]] = ("mean", "square")

    learning_rate: Annotated[float, Range(min=0)] = 0.002
    beta_1: Annotated[float, Range(min=0, below=1)] = 0.9
    beta_2: Annotated[float, Range(min=0, below=1)] = 0.999
    epsilon: Annotated[float, Range(above=0)] = 1e-8
    momentum_decay: Annotated[float, Range(min=0)] = 0.004
    weight_decay: Annotated[float, Range(min=0)] = 0.0

    def start(self, params: Mapping[str, Array]) -> Slots:
        return {**Optimizer.start(self, params), "momenta": {"product": np.ones(())}}

    def update(
        self,
        params: Mapping[str, Array],
        gradients: Mapping[str, Array],
        state: Slots,
        step: int,
        learning_rate: float,
    ) -> None:
        momentum, following = self._momentum(step), self._momentum(step + 1)
        product = state["momenta"]["product"]
        product *= momentum
        ahead = learning_rate * (1 - momentum) / (1 - float(product))
        behind = learning_rate * following / (1 - float(product) * following)
        widen = 1 / math.sqrt(1 - self.beta_2**step)
        for name, gradient in gradients.items():
            arrays = (params[name], gradient, state["mean"][name], state["square"][name])
            for weight, slope, mean, square in in_chunks(*arrays):
                slope = decayed(slope, weight, self.weight_decay)
                mean *= self.beta_1
                mean += (1 - self.beta_1) * slope
                square *= self.beta_2
                square += (1 - self.beta_2) * np.square(slope)
                scale = np.sqrt(square)
                scale *= widen
                scale += self.epsilon
                weight -= (ahead * slope + behind * mean) / scale

    def _momentum(self, step: int) -> float:
        return float(self.beta_1 * (1 - 0.5 * 0.96 ** (step * self.momentum_decay)))
