"""RMSprop: steps scaled by the root of the gradient's running mean square.

v = rho v + (1 - rho) g^2, w -= rate g / (sqrt v + epsilon). centered: v less the square of the
gradient's running mean, its variance. With momentum m the scaled gradients' decaying sum is
followed, as in sgd. Tieleman and Hinton, 2012; Graves, 2013.
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


@register("rmsprop")
@dataclass(frozen=True, slots=True)
class Rmsprop(Optimizer):
    """Steps scaled by the root of the gradient's running mean square."""

    slots: ClassVar[tuple[str, ...]] = ("square", "mean", "velocity")

    learning_rate: Annotated[float, Range(min=0)] = 0.01
    rho: Annotated[float, Range(min=0, below=1)] = 0.99
    epsilon: Annotated[float, Range(above=0)] = 1e-8
    momentum: Annotated[float, Range(min=0, below=1)] = 0.0
    centered: bool = False
    weight_decay: Annotated[float, Range(min=0)] = 0.0

    def start(self, params: Mapping[str, Array]) -> Slots:
        kept = {"square": True, "mean": self.centered, "velocity": self.momentum > 0}
        slots = Optimizer.start(self, params)
        return {name: slot for name, slot in slots.items() if kept[name]}

    def update(
        self,
        params: Mapping[str, Array],
        gradients: Mapping[str, Array],
        state: Slots,
        step: int,
        learning_rate: float,
    ) -> None:
        for name, gradient in gradients.items():
            slots = [slot[name] for slot in state.values()]
            for weight, slope, *kept in in_chunks(params[name], gradient, *slots):
                own = dict(zip(state, kept, strict=True))
                slope = decayed(slope, weight, self.weight_decay)
                move: Array = slope / self._scale(slope, own)
                if self.momentum:
                    own["velocity"] *= self.momentum
                    own["velocity"] += move
                    move = own["velocity"]
                weight -= learning_rate * move

    def _scale(self, slope: Array, own: Mapping[str, Array]) -> Array:
        square = own["square"]
        square *= self.rho
        square += (1 - self.rho) * np.square(slope)
        if self.centered:
            mean = own["mean"]
            mean += (1 - self.rho) * (slope - mean)
            square = np.maximum(square - np.square(mean), 0)
        scale: Array = np.sqrt(square)
        scale += self.epsilon
        return scale
