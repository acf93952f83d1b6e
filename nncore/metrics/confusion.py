"""Counts of answers against targets, and the figures that follow from them.

For each class (or yes-or-no output) with `hit` right answers, `said` answers and `true` targets:
precision = hit / said, recall = hit / true, f1 = 2 hit / (said + true), the same as Dice's
coefficient, intersection over union = hit / (said + true - hit). Averages: `macro` the mean over
the classes that occur, `weighted` by their targets, `micro` of the summed counts, `binary` that of
yes, or of class 1 of two. A quotient without anything below is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import AnyArray, Array
from nncore.documents.limits import Range
from nncore.metrics.answers import answers
from nncore.metrics.metric import Metric, Tally
from nncore.registry import register

Average = Literal["macro", "micro", "weighted", "binary"]
Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OfCounts(Metric):
    """A quotient of counts by class; `average` is binary for one output and else macro."""

    greater_is_better: ClassVar[bool] = True

    average: Average | None = None
    threshold: Annotated[float, Range(min=0, max=1)] = 0.5

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        given = answers(self.type_name, predictions, targets)
        if self.average == "binary" and given.count > 2 - given.separate:
            raise ValueError(
                f"{self.type_name} with average binary needs one yes-or-no output or two classes, "
                f"got {given.count}; use macro, micro or weighted"
            )
        said, true = given.chosen_columns(self.threshold), given.wanted_columns()
        return np.stack([(said * true).sum(axis=0), said.sum(axis=0), true.sum(axis=0)])

    def quotients(self, hit: Counts, said: Counts, true: Counts) -> Counts:
        """The figure of each class."""
        raise NotImplementedError

    def value(self, tally: Tally) -> float:
        average = self.average or ("binary" if tally.shape[1] == 1 else "macro")
        if average == "binary":
            tally = tally[:, -1:]
        elif average == "micro":
            tally = tally.sum(axis=1, keepdims=True)
        hit, said, true = tally
        figures, occurring = self.quotients(hit, said, true), (said + true) > 0
        weights = true if average == "weighted" else occurring.astype(np.float64)
        return float(divided((figures * weights).sum(keepdims=True), weights.sum(keepdims=True))[0])


def divided(above: Counts, below: Counts) -> Counts:
    """Quotients, 0 where there is nothing below."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


@register("precision")
@dataclass(frozen=True, slots=True)
class Precision(OfCounts):
    """Share of the answers that are right."""

    def quotients(self, hit: Counts, said: Counts, true: Counts) -> Counts:
        return divided(hit, said)


@register("recall")
@dataclass(frozen=True, slots=True)
class Recall(OfCounts):
    """Share of the targets that are found."""

    def quotients(self, hit: Counts, said: Counts, true: Counts) -> Counts:
        return divided(hit, true)


@register("f1")
@dataclass(frozen=True, slots=True)
class F1(OfCounts):
    """Harmonic mean of precision and recall."""

    def quotients(self, hit: Counts, said: Counts, true: Counts) -> Counts:
        return divided(2 * hit, said + true)


@register("dice")
@dataclass(frozen=True, slots=True)
class Dice(OfCounts):
    """Twice the overlap over the sum of both areas; of one yes-or-no output, that of yes."""

    def quotients(self, hit: Counts, said: Counts, true: Counts) -> Counts:
        return divided(2 * hit, said + true)


@dataclass(frozen=True, slots=True)
class OfMatrix(Metric):
    """A figure of the matrix of counts: a row for each class wanted, a column for each answered."""

    greater_is_better: ClassVar[bool] = True

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        given = answers(self.type_name, predictions, targets)
        if given.separate and given.count > 1:
            raise ValueError(
                f"{self.type_name} needs one class an example as target, or one yes-or-no output"
            )
        classes = 2 if given.separate else given.count
        cells = given.wanted.reshape(-1) * classes + given.chosen().reshape(-1)
        counts = np.bincount(cells, minlength=classes * classes)
        return counts.reshape(classes, classes).astype(np.float64)


@register("confusion_matrix")
@dataclass(frozen=True, slots=True)
class ConfusionMatrix(OfMatrix):
    """Counts as rows of lists: row t, column y of examples of class t that were taken for y."""

    is_number: ClassVar[bool] = False

    def value(self, tally: Tally) -> list[list[int]]:
        return [[int(count) for count in row] for row in tally]


@register("mean_iou")
@dataclass(frozen=True, slots=True)
class MeanIou(OfMatrix):
    """Intersection over union of answers and targets, mean over the classes that occur."""

    def value(self, tally: Tally) -> float:
        hit = np.diag(tally)
        union = tally.sum(axis=0) + tally.sum(axis=1) - hit
        return float(divided(hit, union).sum() / max(np.count_nonzero(union), 1))
