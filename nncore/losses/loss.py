"""The protocol of losses, and the checks of targets that several of them share.

How training uses a loss, for a batch that may be split into shards and masked:

    counted = loss.counted(targets, mask)            # positions that count; metrics take it too
    terms = loss.terms(targets, mask)                # of the whole batch
    mean, slope = loss.forward(outputs, targets, terms, weights, mask)    # for each shard
    value, factor = loss.outer(sum of the shards' means)
    slope *= factor                                  # 1 unless `loss.has_outer`

`weights` (N,) or (N, positions ...) are multiplied into the terms and do not change their number
(as Keras' `sum_over_batch_size`); a position that is masked out (False) is no term at all.
Over several batches the means are averaged by their terms first, `outer` comes last.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import AnyArray, Array
from nncore.registry import Unit, kind
from nncore.shapes import Shape, fits, written

Mask = NDArray[np.bool_]


@kind
class Loss(Unit):
    """A mean over the terms of a batch (examples, positions, elements).

    `absorbs` names the final activation that the loss applies by itself; the network's outputs are
    then taken before it. `has_outer`: the loss is not the mean itself but `outer` of it. `doubt`:
    what may make the loss infinite for finite outputs, and the mend.
    """

    __slots__ = ()

    absorbs: ClassVar[str | None] = None
    has_outer: ClassVar[bool] = False
    doubt: ClassVar[str | None] = None

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        """Raise ValueError, with the mend, for targets that the loss cannot use."""
        raise NotImplementedError

    def counted(self, targets: AnyArray, mask: Mask | None = None) -> Mask | None:
        """The positions that the loss looks at, (N, ...); None: all."""
        return mask

    def terms(self, targets: AnyArray, mask: Mask | None = None) -> int:
        """How many terms the mean over these targets has."""
        counted = self.counted(targets, mask)
        if counted is None:
            return targets.size
        each = math.prod(targets.shape[counted.ndim :])
        return int(np.count_nonzero(counted)) * each

    def forward(
        self,
        outputs: Array,
        targets: AnyArray,
        terms: int,
        weights: Array | None = None,
        mask: Mask | None = None,
    ) -> tuple[float, Array]:
        """(sum of the terms, dL/doutputs), both divided by `terms`, the whole batch's number.

        weights (N,) or (N, positions ...), mask (N, positions ...): see above.
        """
        raise NotImplementedError

    def outer(self, mean: float) -> tuple[float, float]:
        """The loss from the mean of its terms, and the loss's derivative in that mean."""
        return mean, 1.0

    def predictions(self, outputs: Array) -> Array:
        """What the outputs say in the targets' terms: probabilities, values."""
        return outputs


def check_numbers(name: str, targets: AnyArray) -> None:
    """Targets must be finite numbers."""
    if targets.dtype.kind not in "fiub":
        raise ValueError(f"{name} needs numbers as targets, got {targets.dtype}")
    if not np.isfinite(targets).all():
        raise ValueError(f"{name} needs finite targets, got NaN or infinity")


def check_values(name: str, output_shape: Shape, targets: AnyArray) -> None:
    """Targets must be finite numbers shaped like the outputs; (N,) stands for (N, 1)."""
    column = targets.ndim == 1 and output_shape == (1,)
    if targets.dtype.kind in "fiub" and not column and not fits(targets.shape[1:], output_shape):
        raise ValueError(
            f"{name} needs targets shaped like the outputs, (N, *{written(output_shape)}), "
            f"got {targets.shape}"
        )
    check_numbers(name, targets)


def check_classes(name: str, output_shape: Shape, targets: AnyArray) -> None:
    """Targets must be integer classes, one for each position of outputs (N, ..., C)."""
    if targets.dtype.kind not in "iu":
        raise ValueError(
            f"{name} needs integer classes as targets, got {targets.dtype}; "
            "encode labels as 0, 1, 2, ..."
        )
    positions = output_shape[:-1]
    if not fits(targets.shape[1:], positions):
        raise ValueError(
            f"{name} needs one class for each position, targets (N, *{written(positions)}) "
            f"for outputs (N, *{written(output_shape)}), got {targets.shape}"
        )


def check_range(name: str, classes: int | None, targets: AnyArray) -> None:
    """Class targets must lie in 0 ... classes - 1."""
    if targets.size and not (targets.min() >= 0 and targets.max() < (classes or np.inf)):
        raise ValueError(
            f"{name} needs classes from 0 to {(classes or 0) - 1}, got {targets.min()} "
            f"to {targets.max()}; the network's last layer must give one value a class"
        )


def like_outputs(targets: AnyArray, outputs: Array) -> Array:
    """Targets of an accepted shape in the outputs' shape and precision."""
    values: Array = np.asarray(targets, outputs.dtype).reshape(outputs.shape)
    return values
