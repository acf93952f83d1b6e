"""Activations inside a recurrent step: on parts of buffers, at hardly any cost."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from nncore.activations.activation import Activation
from nncore.activations.linear import Linear
from nncore.activations.sigmoid import Sigmoid
from nncore.activations.tanh import Tanh
from nncore.arrays import Array
from nncore.errors import ArchitectureError
from nncore.passes import Pass


class Squashing(Protocol):
    """An activation of one gate or state, called once a step in each direction."""

    def forward(self, z: Array, out: Array, step: int) -> None:
        """The activation of z into `out`, which may be z itself."""

    def backward(self, dy: Array, y: Array, out: Array, step: int) -> None:
        """dL/dz into `out`, which is none of the others, from dL/dy and the activation y."""


def squashing(activation: Activation | None, name: str, pass_: Pass) -> Squashing:
    """The activation of a part called `name`, in this pass."""
    if activation is None or isinstance(activation, Linear):
        return _Linear()
    if isinstance(activation, Sigmoid):
        return _Sigmoid()
    if isinstance(activation, Tanh):
        return _Tanh()
    return _General(activation, name, pass_)


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


class _Linear:
    def forward(self, z: Array, out: Array, step: int) -> None:
        if out is not z:
            np.copyto(out, z)

    def backward(self, dy: Array, y: Array, out: Array, step: int) -> None:
        np.copyto(out, dy)


class _Tanh:
    def forward(self, z: Array, out: Array, step: int) -> None:
        np.tanh(z, out=out)

    def backward(self, dy: Array, y: Array, out: Array, step: int) -> None:
        np.multiply(y, y, out=out)
        np.subtract(1, out, out=out)
        out *= dy


class _Sigmoid:
    def forward(self, z: Array, out: Array, step: int) -> None:
        np.multiply(z, 0.5, out=out)
        np.tanh(out, out=out)
        out *= 0.5
        out += 0.5

    def backward(self, dy: Array, y: Array, out: Array, step: int) -> None:
        np.multiply(y, y, out=out)
        np.subtract(y, out, out=out)
        out *= dy


class _General:
    """Any activation: each step is a pass of its own, with its own buffers."""

    def __init__(self, activation: Activation, name: str, pass_: Pass) -> None:
        self._activation = activation
        self._name = name
        self._pass = pass_
        self._caches: dict[int, Any] = {}

    def forward(self, z: Array, out: Array, step: int) -> None:
        pass_ = self._pass.inner(f"{self._name} {step}")
        x = pass_.buffer("x", z.shape, z.dtype)
        np.copyto(x, z)
        y, self._caches[step] = self._activation.forward({}, x, pass_)
        np.copyto(out, y)

    def backward(self, dy: Array, y: Array, out: Array, step: int) -> None:
        pass_ = self._pass.inner(f"{self._name} {step}")
        # The activation may overwrite what it is given.
        np.copyto(out, dy)
        dx, _ = self._activation.backward({}, self._caches[step], out, pass_)
        np.copyto(out, dx)
