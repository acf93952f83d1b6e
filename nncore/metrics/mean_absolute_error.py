"""Mean absolute error over examples and elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.metrics.metric import Metric, Tally, errors, quotient
from nncore.registry import register


@register("mean_absolute_error")
@dataclass(frozen=True, slots=True)
class MeanAbsoluteError(Metric):
    """Mean of the absolute differences."""

    greater_is_better: ClassVar[bool] = False

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        error, _ = errors("mean_absolute_error", predictions, targets)
        return np.array([np.abs(error).sum(), error.size])

    def value(self, tally: Tally) -> float:
        return quotient(tally[0], tally[1])
