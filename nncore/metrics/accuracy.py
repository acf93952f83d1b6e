"""Share of right answers.

accuracy: the likeliest class, or each yes-or-no output at one half. binary_accuracy: yes-or-no
outputs at a threshold. top_k_accuracy: the class is among the k likeliest (ties count as in).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.documents.limits import Range
from nncore.metrics.answers import answers
from nncore.metrics.metric import Metric, Tally, quotient
from nncore.registry import register
from nncore.shapes import Positive


@dataclass(frozen=True, slots=True)
class Share(Metric):
    """How many of how many."""

    greater_is_better: ClassVar[bool] = True

    def value(self, tally: Tally) -> float:
        return quotient(tally[0], tally[1])


@register("accuracy")
@dataclass(frozen=True, slots=True)
class Accuracy(Share):
    """Share of right classes (integer targets) or of right yes-or-no outputs (targets 0 and 1)."""

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        given = answers("accuracy", predictions, targets)
        right = np.count_nonzero(given.chosen() == given.wanted)
        return np.array([right, given.wanted.size], dtype=np.float64)


@register("binary_accuracy")
@dataclass(frozen=True, slots=True)
class BinaryAccuracy(Share):
    """Share of yes-or-no outputs that are on the right side of the threshold."""

    threshold: Annotated[float, Range(min=0, max=1)] = 0.5

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        given = answers("binary_accuracy", predictions, targets)
        if not given.separate:
            raise ValueError(
                "binary_accuracy needs targets 0 and 1 shaped like the predictions; "
                "use accuracy for classes"
            )
        right = np.count_nonzero(given.chosen(self.threshold) == given.wanted)
        return np.array([right, given.wanted.size], dtype=np.float64)


@register("top_k_accuracy")
@dataclass(frozen=True, slots=True)
class TopKAccuracy(Share):
    """Share of examples whose class is among the k likeliest."""

    k: Positive = 5

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        given = answers("top_k_accuracy", predictions, targets)
        if given.separate:
            raise ValueError("top_k_accuracy needs one class an example as target")
        better = (given.scores > given.wanted_scores()[:, None]).sum(axis=-1)
        return np.array([np.count_nonzero(better < self.k), better.size], dtype=np.float64)
