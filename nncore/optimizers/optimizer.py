"""The protocol of optimizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from nncore.arrays import Array, Params
from nncore.registry import Unit, kind

Slots = dict[str, Params]
"""An optimizer's state: for each quantity it keeps, arrays keyed and shaped like the weights."""


@kind
class Optimizer(Unit):
    """Changes weights in place by their gradients; its settings are fields, its state is passed.

    Every optimizer has a field `learning_rate`; a schedule scales it from step to step.
    """

    __slots__ = ()

    slots: ClassVar[tuple[str, ...]] = ()
    learning_rate: float

    def start(self, params: Mapping[str, Array]) -> Slots:
        """The state before the first step, in the weights' precision."""
        return {
            slot: {name: np.zeros_like(weight) for name, weight in params.items()}
            for slot in self.slots
        }

    def update(
        self,
        params: Mapping[str, Array],
        gradients: Mapping[str, Array],
        state: Slots,
        step: int,
        learning_rate: float,
    ) -> None:
        """Take step number `step` (from 1) with that learning rate, changing params and state."""
        raise NotImplementedError
