"""What losses share whose terms are positions: one vector of outputs, one term.

One loss defines the terms of rows (R, C) of outputs; the mean, weights and masks are here.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.losses.loss import Loss, Mask
from nncore.losses.weighting import factors
from nncore.reductions import total

_NARROW = 32
_TAME = 50.0


@dataclass(frozen=True, slots=True)
class Positionwise(Loss):
    """A mean over positions; outputs (N, ..., C)."""

    def of_vectors(self, targets: AnyArray) -> bool:
        """Whether targets have a last axis as the outputs do, rather than one class a position."""
        return targets.dtype.kind == "f"

    def terms(self, targets: AnyArray, mask: Mask | None = None) -> int:
        counted = self.counted(targets, mask)
        if counted is not None:
            positions = targets.shape[:-1] if self.of_vectors(targets) else targets.shape
            return int(np.count_nonzero(counted)) * math.prod(positions[counted.ndim :])
        return math.prod(targets.shape[:-1]) if self.of_vectors(targets) else targets.size

    def rows(self, outputs: Array, targets: AnyArray) -> tuple[Array, Array]:
        """Each row's term (R,) and its derivatives (R, C), in fresh arrays.

        outputs (R, C), targets (R,) or (R, C).
        """
        raise NotImplementedError

    def own_weights(self, targets: AnyArray) -> Array | None:
        """The loss's own weight of each of R targets, None if all are 1."""
        return None

    def forward(
        self,
        outputs: Array,
        targets: AnyArray,
        terms: int,
        weights: Array | None = None,
        mask: Mask | None = None,
    ) -> tuple[float, Array]:
        positions, width = outputs.shape[:-1], outputs.shape[-1]
        count = math.prod(positions)
        vectors = self.of_vectors(targets)
        wanted = targets.reshape((count, width) if vectors else (count,))
        counted = self.counted(targets, mask)
        values, slopes = self.rows(outputs.reshape(count, width), wanted)
        factor = factors(positions, outputs.dtype, weights, counted)
        if factor is not None:
            factor = np.broadcast_to(factor, positions).reshape(count)
        for each in (factor, self.own_weights(wanted)):
            if each is not None:
                values *= each
                slopes *= each[:, None]
        share = 1 / max(terms, 1)
        slopes *= share
        return total(values) * share, slopes.reshape(outputs.shape)


def softmax_rows(logits: Array) -> tuple[Array, Array, Array]:
    """(softmax (R, C), logarithm of the summed exponentials (R,), logits) of logits (R, C).

    The logits that come back are less a number for each row, and so is the logarithm.
    """
    if not _tame(logits):
        logits = logits - logits.max(axis=-1, keepdims=True)
    powers: Array = np.exp(logits)
    # Sums over short rows are slow, and so is dividing by one number a row; products are not.
    narrow = logits.shape[1] <= _NARROW
    totals = powers.dot(_ones(logits.shape[1], narrow, logits.dtype))
    powers /= totals if narrow else totals[:, None]
    return powers, np.log(totals[:, 0] if narrow else totals), logits


def _tame(logits: Array) -> bool:
    """Whether their exponentials neither overflow nor vanish, so that no row needs a shift."""
    if not logits.size:
        return True
    vector = logits.reshape(-1)
    if vector.dot(vector) < _TAME**2:  # the cheapest proof, which few logits suffice for
        return True
    return bool(vector.min() > -_TAME and vector.max() < _TAME)


@functools.cache
def _ones(width: int, square: bool, dtype: np.dtype[Any]) -> Array:
    ones = np.ones((width, width) if square else width, dtype)
    ones.flags.writeable = False
    return ones
