"""Error rate of sequences read off step by step, as networks trained with CTC give them.

The likeliest class of each step, repetitions merged and blanks dropped, against the labels: the
fewest insertions, deletions and substitutions (Levenshtein, 1966) over the number of labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import AnyArray, Array
from nncore.documents.limits import Range
from nncore.metrics.metric import Mask, Metric, Tally, quotient
from nncore.registry import register

Labels = NDArray[np.intp]


@register("ctc_character_error_rate")
@dataclass(frozen=True, slots=True)
class CtcCharacterErrorRate(Metric):
    """Edits that the sequences read need to become the targets, over the targets' labels.

    Rows of targets are padded at the end with negative numbers or `blank`, as for the loss.
    """

    greater_is_better: ClassVar[bool] = False

    blank: Annotated[int, Range(min=0)] = 0

    def measure(self, predictions: Array, targets: AnyArray, mask: Mask | None = None) -> Tally:
        if predictions.ndim != 3 or targets.ndim != 2:
            raise ValueError(
                "ctc_character_error_rate needs predictions (N, steps, classes) and rows of labels "
                f"(N, labels), got {predictions.shape} and {targets.shape}"
            )
        read, lengths = decoded(predictions, self.blank, mask)
        wanted = (targets >= 0) & (targets != self.blank)
        edits = _edits(read, lengths, targets.astype(np.intp), wanted.sum(axis=1))
        return np.array([edits.sum(), wanted.sum()], dtype=np.float64)

    def value(self, tally: Tally) -> float:
        return quotient(tally[0], tally[1])


def decoded(predictions: Array, blank: int, mask: Mask | None = None) -> tuple[Labels, Labels]:
    """The labels (N, T) that scores (N, T, C) say, filled up with -1, and how many there are."""
    best = predictions.argmax(axis=-1)
    if mask is not None:
        # A masked step repeats the one before, or is blank at the start: it says nothing.
        steps = np.where(mask, np.arange(best.shape[1]), -1)
        last = np.maximum.accumulate(steps, axis=1)
        best = np.where(last < 0, blank, np.take_along_axis(best, np.maximum(last, 0), axis=1))
    kept = best != blank
    kept[:, 1:] &= best[:, 1:] != best[:, :-1]
    order = np.argsort(~kept, axis=1, kind="stable")
    counts = kept.sum(axis=1)
    labels = np.take_along_axis(best, order, axis=1)
    labels[np.arange(best.shape[1]) >= counts[:, None]] = -1
    return labels, counts


def _edits(read: Labels, lengths: Labels, wanted: Labels, wanted_lengths: Labels) -> Labels:
    """The edit distance of each row, all rows at once."""
    places = np.arange(wanted.shape[1] + 1)
    distances = np.tile(places, (len(wanted), 1))
    for step in range(read.shape[1]):
        differs = wanted != read[:, step : step + 1]
        onward = np.empty_like(distances)
        onward[:, 0] = step + 1
        onward[:, 1:] = np.minimum(distances[:, :-1] + differs, distances[:, 1:] + 1)
        # Labels left out: each costs one more than its left neighbour.
        onward = np.minimum.accumulate(onward - places, axis=1) + places
        distances = np.where((step < lengths)[:, None], onward, distances)
    found: Labels = distances[np.arange(len(wanted)), wanted_lengths]
    return found
