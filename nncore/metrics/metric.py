"""The protocol of metrics: exact over any division into batches."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import AnyArray, Array
from nncore.registry import Unit, kind

Tally = NDArray[np.float64]
"""What a metric remembers of the examples it has seen."""


@kind
class Metric(Unit):
    """A figure of merit of predictions (probabilities, values) against targets."""

    __slots__ = ()

    greater_is_better: ClassVar[bool]

    def measure(self, predictions: Array, targets: AnyArray) -> Tally:
        """The tally of one batch. Raises ValueError for targets that the metric cannot use."""
        raise NotImplementedError

    def combine(self, one: Tally, other: Tally) -> Tally:
        """The tally of two batches together."""
        return one + other

    def value(self, tally: Tally) -> float:
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
