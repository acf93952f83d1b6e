"""Activations inside a recurrent step: on parts of buffers, at hardly any cost.

Slopes are asked for many steps at once, as what dL/dy is to be multiplied with. An activation that
mixes units (softmax) has no such factor: its slope is one, and `back` does the rest step by step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nncore.activations.activation import Activation
from nncore.activations.linear import Linear
from nncore.activations.sigmoid import Sigmoid
from nncore.activations.softmax import AlongAxis
from nncore.activations.tanh import Tanh
from nncore.arrays import Array
from nncore.errors import ArchitectureError
from nncore.passes import Pass


class Squashing:
    """The identity. `scale`: what z must have been multiplied with, folded into the weights."""

    scale: float = 1
    mixes: bool = False

    def forward(self, z: Array, out: Array, step: int) -> None:
        """The activation of z into `out`, which may be z itself."""
        if out is not z:
            np.copyto(out, z)

    def slope(self, y: Array, out: Array, first: int) -> None:
        """dy/dz into `out`, of the activations y (..., steps, state) from that step on."""
        out.fill(1)

    def back(self, slope: Array, step: int) -> None:
        """What `slope`, dL/dy times dy/dz, lacks of dL/dz, in its place."""


def squashing(activation: Activation | None, name: str, pass_: Pass) -> Squashing:
    """The activation of a part called `name`, in this pass."""
    if activation is None or isinstance(activation, Linear):
        return Squashing()
    if isinstance(activation, Sigmoid):
        return _Sigmoid()
    if isinstance(activation, Tanh):
        return _Tanh()
    return _General(activation, name, pass_)


def squash(gates: Squashing, candidate: Squashing, z: Array, split: int, step: int) -> None:
    """Both activations on one stretch z, whose first `split` blocks are the gates."""
    if isinstance(gates, _Sigmoid) and isinstance(candidate, _Tanh):
        np.tanh(z, out=z)  # sigmoids of halved z are tanh too: one call for all
        gates.finish(z[:split])
        return
    for part, one in ((z[:split], gates), (z[split:], candidate)):
        one.forward(part, part, step)


def check_squashing(activation: Activation | None, field: str, units: int) -> None:
    """Raise ArchitectureError for an activation that has weights: a step has none to give it."""
    if activation is not None and activation.weights((units,)):
        raise ArchitectureError(
            f"/{field}",
            f"{activation.type_name} has weights of its own, which no step can hold; "
            "use tanh, sigmoid or another fixed function",
        )
    if getattr(activation, "axis", -1) != -1:
        raise ArchitectureError(f"/{field}/axis", "a step has the units' axis alone: use -1")


class _Tanh(Squashing):
    def forward(self, z: Array, out: Array, step: int) -> None:
        np.tanh(z, out=out)

    def slope(self, y: Array, out: Array, first: int) -> None:
        np.multiply(y, y, out=out)
        np.subtract(1, out, out=out)


class _Sigmoid(Squashing):
    """tanh(z / 2) / 2 + 1 / 2, the first half being in the weights."""

    scale = 0.5

    def forward(self, z: Array, out: Array, step: int) -> None:
        np.tanh(z, out=out)
        self.finish(out)

    def finish(self, z: Array) -> None:
        """The activation from the tanh."""
        z *= 0.5
        z += 0.5

    def slope(self, y: Array, out: Array, first: int) -> None:
        np.subtract(1, y, out=out)
        out *= y


class _General(Squashing):
    """Any activation: each step is a pass of its own, with its own buffers."""

    def __init__(self, activation: Activation, name: str, pass_: Pass) -> None:
        self._activation = activation
        self._name = name
        self._pass = pass_
        self._caches: dict[int, Any] = {}
        self._shape: tuple[int, ...] = ()
        self.mixes = isinstance(activation, AlongAxis)

    def forward(self, z: Array, out: Array, step: int) -> None:
        pass_ = self._of_step(step)
        x = pass_.buffer("x", z.shape, z.dtype)
        np.copyto(x, z)
        self._shape = z.shape
        y, cache = self._activation.forward({}, x, pass_)
        np.copyto(out, y)
        if not pass_.run.forgetful:
            self._caches[step] = cache

    def slope(self, y: Array, out: Array, first: int) -> None:
        out.fill(1)
        if not self.mixes:
            for place in range(out.shape[-5]):
                self._pull(out[..., place, :, :, :, :], first + place)

    def back(self, slope: Array, step: int) -> None:
        if self.mixes:
            self._pull(slope, step)

    def _pull(self, slope: Array, step: int) -> None:
        """dL/dz in the place of dL/dy."""
        pass_ = self._of_step(step)
        # A copy: the activation may overwrite what it is given.
        dy = slope.copy().reshape(self._shape)
        dx, _ = self._activation.backward({}, self._caches[step], dy, pass_)
        np.copyto(slope, dx.reshape(slope.shape))

    def _of_step(self, step: int) -> Pass:
        number = 0 if self._pass.run.forgetful else step
        return self._pass.inner(f"{self._name} {number}")
