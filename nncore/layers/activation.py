"""An activation as a layer of its own."""

from __future__ import annotations

from dataclasses import dataclass

from nncore.activations.activation import Activation
from nncore.layers.layer import Layer
from nncore.operation import Operation
from nncore.registry import register


@register("activation")
@dataclass(frozen=True, slots=True)
class ActivationLayer(Layer):
    """Applies an activation and nothing else."""

    activation: Activation

    def operations(self) -> tuple[Operation, ...]:
        return (self.activation,)
