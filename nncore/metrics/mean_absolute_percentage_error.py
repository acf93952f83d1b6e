"""Mean absolute percentage error: 100 mean |y - t| / max(|t|, 1e-7), as in Keras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.metrics.metric import Metric, Tally, errors, quotient
from nncore.registry import register

_SMALLEST = 1e-7


@register("mean_absolute_percentage_error")
@dataclass(frozen=True, slots=True)
class MeanAbsolutePercentageError(Metric):
    """Mean of the absolute differences in percent of the targets."""

    greater_is_better: ClassVar[bool] = False

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        error, wanted = errors("mean_absolute_percentage_error", predictions, targets)
        parts = np.abs(error) / np.maximum(np.abs(wanted), _SMALLEST)
        return np.array([100 * parts.sum(), parts.size])

    def value(self, tally: Tally) -> float:
        return quotient(tally[0], tally[1])
