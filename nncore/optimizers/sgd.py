"""Stochastic gradient descent, with momentum: v = m v + g, w -= rate v.

Nesterov's variant looks ahead: w -= rate (g + m v). Without momentum v is g. Weight decay adds
weight_decay * w to g. Polyak, 1964; Nesterov, 1983; in the form of Sutskever, Martens, Dahl and
Hinton, 2013.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from nncore.arrays import Array
from nncore.documents.limits import Range
from nncore.optimizers.chunks import in_chunks
from nncore.optimizers.optimizer import Optimizer, Slots, decayed
from nncore.registry import register


@register("sgd")
@dataclass(frozen=True, slots=True)
class Sgd(Optimizer):
    """Gradient descent; with momentum the gradients' decaying sum is followed."""

    slots: ClassVar[tuple[str, ...]] = ("velocity",)

    learning_rate: Annotated[float, Range(min=0)] = 0.01
    momentum: Annotated[float, Range(min=0, below=1)] = 0.0
    nesterov: bool = False
    weight_decay: Annotated[float, Range(min=0)] = 0.0

    def start(self, params: Mapping[str, Array]) -> Slots:
        return Optimizer.start(self, params) if self.momentum else {}

    def update(
        self,
        params: Mapping[str, Array],
        gradients: Mapping[str, Array],
        state: Slots,
        step: int,
        learning_rate: float,
    ) -> None:
        for name, gradient in gradients.items():
            if self.momentum:
                self._with_momentum(params[name], gradient, state["velocity"][name], learning_rate)
            else:
                for weight, slope in in_chunks(params[name], gradient):
                    weight -= learning_rate * decayed(slope, weight, self.weight_decay)

    def _with_momentum(
        self, weights: Array, gradient: Array, velocity: Array, learning_rate: float
    ) -> None:
        for weight, slope, speed in in_chunks(weights, gradient, velocity):
            slope = decayed(slope, weight, self.weight_decay)
            speed *= self.momentum
            speed += slope
            move = slope + self.momentum * speed if self.nesterov else speed
            weight -= learning_rate * move
