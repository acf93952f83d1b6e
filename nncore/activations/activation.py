"""The protocol of activations: operations that keep the shape and may follow any layer."""

from __future__ import annotations

from nncore.operation import Operation
from nncore.registry import kind
from nncore.shapes import Shape, elements


@kind
class Activation(Operation):
    """A function that a layer's outputs go through."""

    __slots__ = ()

    def flops(self, shape: Shape) -> int:
        """One operation an element."""
        return elements(shape)
