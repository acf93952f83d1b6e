"""Share of right answers: the likeliest class, or each yes-or-no output at one half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.metrics.metric import Metric, Tally, comparable
from nncore.registry import register


@register("accuracy")
@dataclass(frozen=True, slots=True)
class Accuracy(Metric):
    """Share of right classes (integer targets) or of right yes-or-no outputs (targets 0 and 1)."""

    greater_is_better: ClassVar[bool] = True

    def measure(self, predictions: Array, targets: AnyArray) -> Tally:
        if comparable(predictions, targets):
            answers = predictions.reshape(targets.shape) > 0.5
            if not np.isin(targets, (0, 1)).all():
                raise ValueError("accuracy needs classes, or 0 and 1, as targets")
        elif targets.shape == predictions.shape[:-1]:
            answers = predictions.argmax(axis=-1)
        else:
            raise ValueError(
                f"accuracy cannot compare predictions {predictions.shape} "
                f"with targets {targets.shape}"
            )
        return np.array([np.count_nonzero(answers == targets), targets.size], dtype=np.float64)

    def value(self, tally: Tally) -> float:
        return float(tally[0] / tally[1])
