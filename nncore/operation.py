"""The protocol of everything that a network executes: layers and activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nncore.arrays import Array, Params
from nncore.initializers.initializer import Initializer
from nncore.passes import Mask, Pass
from nncore.registry import Unit
from nncore.shapes import Shape


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight before it exists: its shape and how it starts."""

    shape: tuple[int, ...]
    initializer: Initializer
    trainable: bool = True


class Operation(Unit):
    """A differentiable map without state; all that a pass needs comes in and goes out.

    Shapes are those of one example; `x` and `y` have the examples as a first axis more.
    """

    __slots__ = ()

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of y. Raises ArchitectureError, its pointer relative to this document."""
        return shape

    def weights(self, shape: Shape) -> dict[str, Weight]:
        """The weights that an input of this shape needs, by short name."""
        return {}

    def flops(self, shape: Shape) -> int:
        """Floating-point operations of a forward pass for one example."""
        return 0

    def output_mask(self, x: Array, mask: Mask | None) -> Mask | None:
        """Which positions (N, T) of y hold data, given those of x; None: all do."""
        return mask

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Any]:
        """y, and what `backward` wants to know. Must not change x."""
        raise NotImplementedError

    def backward(
        self, params: Params, cache: Any, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        """dL/dx (may be None unless `pass_.needs_dx`) and dL/dw by short name, from dL/dy.

        May overwrite dy.
        """
        raise NotImplementedError
