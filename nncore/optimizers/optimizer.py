"""The protocol of optimizers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np

from nncore.arrays import Array, Params, check_arrays
from nncore.registry import Unit, kind

Slots = dict[str, Params]
"""An optimizer's state: for each quantity it keeps, arrays by name.

Those of `slots` are keyed and shaped like the weights, others as the optimizer likes."""

Evaluate = Callable[[], tuple[float, Mapping[str, Array]]]
"""The loss and its gradients at the weights as they are; the arrays live until the next call."""


@kind
class Optimizer(Unit):
    """Changes weights in place by their gradients; its settings are fields, its state is passed.

    Every optimizer has a field `learning_rate`; a schedule scales it from step to step. One that is
    `full_batch` wants all examples in each step and is asked to `search`, the others to `update`.
    """

    __slots__ = ()

    slots: ClassVar[tuple[str, ...]] = ()
    full_batch: ClassVar[bool] = False
    learning_rate: float

    def start(self, params: Mapping[str, Array]) -> Slots:
        """The state before the first step, in the weights' precision."""
        return {
            slot: {name: np.zeros_like(weight) for name, weight in params.items()}
            for slot in self.slots
        }

    def check(self, params: Mapping[str, Array], state: Slots) -> None:
        """Raise ValueError unless a state, maybe from a file, can be that of these weights."""
        for slot, like in self.start(params).items():
            check_arrays(f"the optimizer's {slot}", like, state.get(slot, {}))

    def update(
        self,
        params: Mapping[str, Array],
        gradients: Mapping[str, Array],
        state: Slots,
        step: int,
        learning_rate: float,
    ) -> None:
        """Take step number `step` (from 1) with that learning rate, changing params and state.

        May overwrite the gradients.
        """
        raise NotImplementedError

    def search(
        self,
        params: Mapping[str, Array],
        loss: float,
        gradients: Mapping[str, Array],
        state: Slots,
        step: int,
        learning_rate: float,
        evaluate: Evaluate,
    ) -> None:
        """`update`, from a known loss and gradients, with more evaluations at other weights."""
        self.update(params, gradients, state, step, learning_rate)


def decayed(gradient: Array, weight: Array, decay: float) -> Array:
    """The gradient with that of decay / 2 * |weight|^2, or the gradient itself."""
    return gradient + weight.dtype.type(decay) * weight if decay else gradient
