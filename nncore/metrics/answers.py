"""What predictions answer: one class of several, or yes or no for each output."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import AnyArray, Array
from nncore.metrics.metric import comparable


@dataclass(frozen=True, slots=True)
class Answers:
    """Predictions and targets side by side, a row an example or position.

    Of classes: `scores` (M, C) and `wanted` (M,), integers. Of yes-or-no outputs (`separate`):
    `scores` (M, K) and `wanted` (M, K), 0 or 1.
    """

    scores: Array
    wanted: NDArray[np.intp]
    separate: bool

    @property
    def count(self) -> int:
        """Classes, or yes-or-no outputs."""
        return int(self.scores.shape[-1])

    def chosen(self, threshold: float = 0.5) -> NDArray[np.intp]:
        """The likeliest class (M,), or 1 for each score above the threshold (M, K)."""
        if self.separate:
            return (self.scores > threshold).astype(np.intp)
        return self.scores.argmax(axis=-1) if self.count else np.zeros(len(self.scores), np.intp)

    def wanted_columns(self) -> NDArray[np.float64]:
        """1 where a column (class or output) is wanted, (M, C)."""
        if self.separate:
            return self.wanted.astype(np.float64)
        return self._columns(self.wanted)

    def chosen_columns(self, threshold: float = 0.5) -> NDArray[np.float64]:
        """1 where a column is answered, (M, C)."""
        chosen = self.chosen(threshold)
        if self.separate:
            return chosen.astype(np.float64)
        return self._columns(chosen)

    def _columns(self, classes: NDArray[np.intp]) -> NDArray[np.float64]:
        columns = np.zeros((len(classes), self.count))
        columns[np.arange(len(classes)), classes] = 1
        return columns

    def wanted_scores(self) -> Array:
        """The scores of what is right: of the class (M,), of yes or of no (M, K)."""
        if self.separate:
            return np.where(self.wanted == 1, self.scores, 1 - self.scores)
        found: Array = self.scores[np.arange(len(self.scores)), self.wanted]
        return found


def answers(name: str, predictions: Array, targets: AnyArray) -> Answers:
    """Predictions (N, ..., C) against classes (N, ...) or yes-or-no targets of their own shape."""
    if comparable(predictions, targets):
        if not np.isin(targets, (0, 1)).all():
            raise ValueError(f"{name} needs classes, or 0 and 1, as targets")
        width = predictions.shape[-1] if predictions.ndim > 1 else 1
        rows = predictions.size // max(width, 1)
        wanted = np.asarray(targets).reshape(rows, width).astype(np.intp)
        return Answers(predictions.reshape(rows, width), wanted, True)
    if targets.shape != predictions.shape[:-1] or targets.dtype.kind not in "iub":
        raise ValueError(
            f"{name} cannot compare predictions {predictions.shape} with targets {targets.shape}"
        )
    classes = predictions.shape[-1]
    if targets.size and not (targets.min() >= 0 and targets.max() < classes):
        raise ValueError(
            f"{name} needs classes from 0 to {classes - 1}, got {targets.min()} to {targets.max()}"
        )
    labels = targets.reshape(-1).astype(np.intp)
    return Answers(predictions.reshape(len(labels), classes), labels, False)
