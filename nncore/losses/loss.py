"""The protocol of losses, and the checks of targets that several of them share."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.registry import Unit, kind
from nncore.shapes import Shape, fits, written


@kind
class Loss(Unit):
    """A mean over the terms of a batch (examples, positions, elements).

    `absorbs` names the final activation that the loss applies by itself; the network's outputs are
    then taken before it.
    """

    __slots__ = ()

    absorbs: ClassVar[str | None] = None

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        """Raise ValueError, with the mend, for targets that the loss cannot use."""
        raise NotImplementedError

    def terms(self, targets: AnyArray) -> int:
        """How many terms the mean over these targets has."""
        return targets.size

    def forward(self, outputs: Array, targets: AnyArray, terms: int) -> tuple[float, Array]:
        """(sum of the terms, dL/doutputs), both divided by `terms`, the whole batch's number."""
        raise NotImplementedError

    def predictions(self, outputs: Array) -> Array:
        """What the outputs say in the targets' terms: probabilities, values."""
        return outputs


def check_values(name: str, output_shape: Shape, targets: AnyArray) -> None:
    """Targets must be finite numbers shaped like the outputs; (N,) stands for (N, 1)."""
    if targets.dtype.kind not in "fiub":
        raise ValueError(f"{name} needs numbers as targets, got {targets.dtype}")
    column = targets.ndim == 1 and output_shape == (1,)
    if not column and not fits(targets.shape[1:], output_shape):
        raise ValueError(
            f"{name} needs targets shaped like the outputs, (N, *{written(output_shape)}), "
            f"got {targets.shape}"
        )
    if not np.isfinite(targets).all():
        raise ValueError(f"{name} needs finite targets, got NaN or infinity")


def like_outputs(targets: AnyArray, outputs: Array) -> Array:
    """Targets of an accepted shape in the outputs' shape and precision."""
    values: Array = np.asarray(targets, outputs.dtype).reshape(outputs.shape)
    return values
