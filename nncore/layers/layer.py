"""The protocol of layers: operations that a network document lists."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.activations.activation import Activation
from nncore.documents.hints import if_given
from nncore.operation import Operation
from nncore.registry import kind


@kind
@dataclass(frozen=True, slots=True, kw_only=True)
class Layer(Operation):
    """A layer; its name (by default the type and a running number) begins its weights' names.

    `trainable`: false freezes its weights. `inputs`: the layers or inputs that it reads (by default
    the layer above). `shares`: the layer whose weights it uses instead of its own; that one decides
    whether they are trained.
    """

    name: str | None = None
    trainable: bool = True
    inputs: tuple[str, ...] | None = if_given()
    shares: str | None = if_given()

    def operations(self) -> tuple[Operation, ...]:
        """What is executed for this layer, in order."""
        return (self,)

    def followed_by(self, activation: Activation | None) -> tuple[Operation, ...]:
        """The layer, then the activation of its `activation` field."""
        return (self,) if activation is None else (self, activation)
