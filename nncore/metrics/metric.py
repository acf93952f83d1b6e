"""The protocol of metrics: exact over any division into batches."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import AnyArray, Array
from nncore.registry import Unit, kind

Tally = NDArray[np.float64]
"""What a metric remembers of the examples it has seen."""

Mask = NDArray[np.bool_]


@kind
class Metric(Unit):
    """A figure of merit of predictions (probabilities, values) against targets.

    `is_number`: whether the figure is one number, for histories and early stopping; others are
    nested lists of numbers.
    """

    __slots__ = ()

    greater_is_better: ClassVar[bool]
    is_number: ClassVar[bool] = True

    def measure(self, predictions: Array, targets: AnyArray, mask: Mask | None = None) -> Tally:
        """The tally of one batch, of the positions (N, ...) in the mask if there is one.

        Raises ValueError for targets that the metric cannot use.
        """
        if mask is not None:
            predictions, targets = predictions[mask], targets[mask]
        return self.tally(predictions, targets)

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        """`measure` without a mask."""
        raise NotImplementedError

    def combine(self, one: Tally, other: Tally) -> Tally:
        """The tally of two batches together."""
        return one + other

    def value(self, tally: Tally) -> Any:
        """The metric of everything tallied."""
        raise NotImplementedError


def comparable(predictions: Array, targets: AnyArray) -> bool:
    """Whether there is a target for each prediction; (N,) stands for (N, 1)."""
    one, other = ((*a.shape, 1) if a.ndim == 1 else a.shape for a in (predictions, targets))
    return one == other


def errors(
    name: str, predictions: Array, targets: AnyArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(predictions - targets, targets) in float64."""
    if not comparable(predictions, targets):
        raise ValueError(
            f"{name} compares values of the same shape, got predictions "
            f"{predictions.shape} and targets {targets.shape}"
        )
    wanted = np.asarray(targets, np.float64).reshape(predictions.shape)
    return predictions - wanted, wanted


def quotient(above: float, below: float) -> float:
    """A share of what has been seen; 0 if nothing has."""
    return float(above / below) if below else 0.0
