"""Figures of predicted probabilities p.

log_loss: mean of -log p of what is right (p at least 1e-15). perplexity: exp of that. brier: mean
of the squared distances of p from 0 and 1, summed over the classes (of yes-or-no outputs the mean
over them). Brier, 1950.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.metrics.answers import answers
from nncore.metrics.metric import Metric, Tally, quotient
from nncore.registry import register

_SMALLEST = 1e-15


@register("log_loss")
@dataclass(frozen=True, slots=True)
class LogLoss(Metric):
    """Mean of the negative logarithms of what the right answers' probabilities were."""

    greater_is_better: ClassVar[bool] = False

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        given = answers(self.type_name, predictions, targets)
        likely = np.maximum(given.wanted_scores().astype(np.float64), _SMALLEST)
        return np.array([-np.log(likely).sum(), likely.size])

    def value(self, tally: Tally) -> float:
        return quotient(tally[0], tally[1])


@register("perplexity")
@dataclass(frozen=True, slots=True)
class Perplexity(LogLoss):
    """Among how many equally likely answers the right one hides, on geometric average."""

    def value(self, tally: Tally) -> float:
        return math.exp(quotient(tally[0], tally[1]))


@register("brier")
@dataclass(frozen=True, slots=True)
class Brier(Metric):
    """Mean squared distance of the probabilities from what came true."""

    greater_is_better: ClassVar[bool] = False

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        given = answers("brier", predictions, targets)
        squares = np.square(given.scores - given.wanted_columns())
        return np.array([squares.sum(), given.wanted.size], dtype=np.float64)

    def value(self, tally: Tally) -> float:
        return quotient(tally[0], tally[1])
