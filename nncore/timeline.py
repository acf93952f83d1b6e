"""The order in which a recurrent layer takes its steps, and which of them hold data.

A step at which no example has data is left out, so that padding costs nothing and changes nothing,
to the last bit. A step at which some have none is taken, and these keep their state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import Array
from nncore.passes import Mask, Pass

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Timeline:
    """S taken steps of T.

    `order` (S,): the steps in the order they are taken. `held`: for each of them, the examples that
    keep their state (None: there are none). `reached` (T,): how many steps are taken when the
    output number p is due; outputs come in the order of the steps. `padding` (N, T): outputs at
    steps without data.
    """

    length: int
    order: Indices
    held: tuple[Indices | None, ...]
    reached: Indices
    padding: Mask | None

    @property
    def whole(self) -> bool:
        """Whether every step is taken."""
        return len(self.order) == self.length

    def gather(self, x: Array, out: Array) -> None:
        """The taken steps of x (N, T, I) into out (S, N, I), zero where an example has no data."""
        steps = x.swapaxes(0, 1)
        if self.whole:
            np.copyto(out, steps if self.order[0] == 0 else steps[::-1])
        else:
            np.copyto(out, steps[self.order])
        for taken, rows in zip(out, self.held, strict=True):
            if rows is not None:
                taken[rows] = 0

    def scatter(self, dx: Array, pass_: Pass) -> Array:
        """Slopes of the taken steps (S, N, I) back in their places (N, T, I), else zero."""
        _, examples, width = dx.shape
        whole = pass_.buffer("dx", (examples, self.length, width), dx.dtype)
        if not self.whole:
            whole.fill(0)
        whole[:, self.order] = dx.swapaxes(0, 1)
        return whole

    def outputs(self, states: Array, zero_padding: bool, pass_: Pass) -> Array:
        """The outputs (N, T, U) from the states (S + 1, N, U) before the first and after each."""
        _, examples, units = states.shape
        y = pass_.buffer("y", (examples, self.length, units), states.dtype)
        np.copyto(y.swapaxes(0, 1), states[1:] if self.whole else states[self.reached])
        if zero_padding and self.padding is not None:
            y[self.padding] = 0
        return y


def timeline(length: int, mask: Mask | None, backwards: bool) -> Timeline:
    """The timeline of `length` >= 1 steps, of which mask (N, T) says where there is data."""
    steps = np.arange(length)[:: -1 if backwards else 1]
    if mask is None:
        return Timeline(length, steps, (None,) * length, np.arange(1, length + 1), None)
    data = mask[:, steps]
    taken: Mask = np.logical_or.reduce(data, axis=0)
    order = steps[taken]
    held = tuple(None if at.all() else np.flatnonzero(~at) for at in mask.T[order])
    return Timeline(length, order, held, np.cumsum(taken), ~data)
