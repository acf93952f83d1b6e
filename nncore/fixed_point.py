"""Recurrent back-propagation: gradients through the state in which a network with loops settles.

y = f(y W + x) is relaxed from y = 0. With dL/dy the adjoint z solves z = dL/dy + (f' z) W^T and is
relaxed likewise; then dL/dx = f' z and dL/dW = y^T (f' z). Both converge where diag(f') W has a
spectral radius below 1; `damping` takes only part of each step, which helps where it oscillates.
x, y, z (N, U), W (U, U) from unit to unit, f the logistic function. Almeida, 1987; Pineda, 1987.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array


class DidNotSettleError(ArithmeticError):
    """The relaxation has no fixed point within reach."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The state (N, U) that was reached, and how many steps it took."""

    state: Array
    steps: int


@dataclass(frozen=True, slots=True)
class Relaxation:
    """When a state counts as settled: no unit moves by more than `tolerance` in a step.

    A step goes 1 - `damping` of the way, from 0 <= damping < 1.
    """

    tolerance: float = 1e-12
    limit: int = 1_000
    damping: float = 0.0

    def settle(self, kernel: Array, x: Array) -> Settled:
        """The y (N, U) that y = f(y W + x) holds for. Raises DidNotSettleError."""
        return self._relax(lambda y: _logistic(y @ kernel + x), np.zeros_like(x), "state")

    def adjoint(self, kernel: Array, y: Array, dy: Array) -> Settled:
        """The z (N, U) that z = dL/dy + (f' z) W^T holds for. Raises DidNotSettleError."""
        slope = y * (1 - y)
        return self._relax(lambda z: (slope * z) @ kernel.T + dy, np.zeros_like(dy), "adjoint")

    def gradients(self, kernel: Array, y: Array, dy: Array) -> tuple[Array, Array]:
        """dL/dW and dL/dx at a settled state y. Raises DidNotSettleError."""
        dx: Array = y * (1 - y) * self.adjoint(kernel, y, dy).state
        return y.T @ dx, dx

    @np.errstate(over="ignore", invalid="ignore")
    def _relax(self, step: Callable[[Array], Array], state: Array, name: str) -> Settled:
        move = np.inf
        for count in range(1, self.limit + 1):
            after = (1 - self.damping) * step(state) + self.damping * state
            move = float(np.abs(after - state).max(initial=0))
            state = after
            if move <= self.tolerance:
                return Settled(state, count)
            if not np.isfinite(move):
                break
        raise DidNotSettleError(
            f"the {name} did not settle: it still moved by {move:.1e} after {count} steps, "
            f"{self.tolerance:.1e} are allowed; use more damping (it is {self.damping:g}), "
            "smaller recurrent weights or a higher limit"
        )


def _logistic(z: Array) -> Array:
    y: Array = 0.5 * np.tanh(0.5 * z) + 0.5
    return y
