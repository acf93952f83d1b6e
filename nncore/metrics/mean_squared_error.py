"""Mean squared error over examples and elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.metrics.metric import Metric, Tally, errors, quotient
from nncore.registry import register


@register("mean_squared_error")
@dataclass(frozen=True, slots=True)
class MeanSquaredError(Metric):
    """Mean of the squared differences."""

    greater_is_better: ClassVar[bool] = False

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        error, _ = errors("mean_squared_error", predictions, targets)
        return np.array([np.square(error).sum(), error.size])

    def value(self, tally: Tally) -> float:
        return quotient(tally[0], tally[1])
