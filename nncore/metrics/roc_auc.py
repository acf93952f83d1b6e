"""Area under the receiver operating characteristic, exactly.

It is the chance that a positive example scores above a negative one, ties counting half: with the
mean ranks r of all scores, (sum of the positives' r - P (P + 1) / 2) / (P Q) for P positive and Q
negative examples. Hanley and McNeil, 1982. All scores are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import AnyArray, Array
from nncore.metrics.answers import answers
from nncore.metrics.metric import Metric, Tally
from nncore.registry import register


@register("roc_auc")
@dataclass(frozen=True, slots=True)
class RocAuc(Metric):
    """Chance that a positive example scores above a negative one.

    Of two classes that of class 1; of several classes or outputs the mean of each against the rest,
    over those that have both kinds of examples; 0.5 if none has.
    """

    greater_is_better: ClassVar[bool] = True

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        given = answers("roc_auc", predictions, targets)
        scores, wanted = given.scores.astype(np.float64), given.wanted_columns()
        if not given.separate and given.count == 2:
            scores, wanted = scores[:, 1:], wanted[:, 1:]
        return np.stack([scores, wanted])

    def combine(self, one: Tally, other: Tally) -> Tally:
        return np.concatenate([one, other], axis=1)

    def value(self, tally: Tally) -> float:
        areas = [
            _area(scores, wanted) for scores, wanted in zip(*tally.swapaxes(1, 2), strict=True)
        ]
        known = [area for area in areas if area is not None]
        return float(np.mean(known)) if known else 0.5


def _area(scores: NDArray[np.float64], wanted: NDArray[np.float64]) -> float | None:
    positive = int(wanted.sum())
    negative = len(wanted) - positive
    if not (positive and negative):
        return None
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    total = float(ranks[places] @ wanted)
    return (total - positive * (positive + 1) / 2) / (positive * negative)
