"""Connectionist temporal classification: labels in order, at unknown steps.

l = -log P(labels), where P sums over all ways to write the labels along the steps with repetitions
and blanks between them; logits (N, T, C), labels (N, S), one term an example. With alpha_t(s) and
beta_t(s) the probabilities of the ways up to and from step t that are at place s of the labels
with blanks in between, dl/dz_tk = softmax(z_t)_k - sum over the places s of label k of
alpha_t(s) beta_t(s) / P; all in logarithms and float64. Graves, Fernandez, Gomez and Schmidhuber,
2006.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from nncore.activations.softmax import softmax
from nncore.arrays import AnyArray, Array
from nncore.documents.limits import Range
from nncore.losses.loss import Loss, Mask
from nncore.registry import register
from nncore.shapes import Shape, written

Logs = NDArray[np.float64]
Indices = NDArray[np.intp]


@register("ctc")
@dataclass(frozen=True, slots=True)
class Ctc(Loss):
    """Sequences of labels against logits of each class at each step.

    Rows of labels are padded at the end with negative numbers or `blank`. Steps that the mask
    leaves out do not count. An example with more labels than steps has an infinite loss, or none
    with `zero_infinity`.
    """

    absorbs: ClassVar[str | None] = "softmax"
    doubt: ClassVar[str | None] = (
        "an example may have more labels than steps that hold data (ctc needs one for each label "
        "and for each pair of equal neighbours); leave it out or set zero_infinity"
    )

    blank: Annotated[int, Range(min=0)] = 0
    zero_infinity: bool = False

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        if len(output_shape) != 2 or output_shape[1] is None:
            raise ValueError(
                "ctc needs scores of each class at each step, outputs (N, steps, classes), "
                f"got (N, *{written(output_shape)})"
            )
        steps, classes = output_shape
        if self.blank >= (classes or 0):
            raise ValueError(f"ctc's blank {self.blank} is no class; there are {classes}")
        if targets.ndim != 2:
            raise ValueError(
                f"ctc needs a row of labels for each example, (N, labels), got {targets.shape}"
            )
        if targets.dtype.kind not in "iu":
            raise ValueError(f"ctc needs integer labels, got {targets.dtype}")
        if targets.size and targets.max() >= (classes or 0):
            raise ValueError(
                f"ctc needs labels from 0 to {(classes or 0) - 1}, got {targets.max()}"
            )
        self._check_lengths(steps, targets)

    def _check_lengths(self, steps: int | None, targets: AnyArray) -> None:
        given = self.labels(targets)
        if (given[:, 1:] > given[:, :-1]).any():
            raise ValueError(
                "ctc needs padding (negative numbers or the blank) after the labels only"
            )
        again = (targets[:, 1:] == targets[:, :-1]) & given[:, 1:]
        needed = int((given.sum(axis=1) + again.sum(axis=1)).max(initial=0))
        if steps is not None and needed > steps and not self.zero_infinity:
            raise ValueError(
                f"ctc's longest row of labels needs at least {needed} steps, the outputs have "
                f"{steps}; equal neighbours need a blank between them"
            )

    def labels(self, targets: AnyArray) -> Mask:
        """Where rows (N, S) hold labels, not padding."""
        given: Mask = (targets >= 0) & (targets != self.blank)
        return given

    def terms(self, targets: AnyArray, mask: Mask | None = None) -> int:
        return len(targets)

    def forward(
        self,
        outputs: Array,
        targets: AnyArray,
        terms: int,
        weights: Array | None = None,
        mask: Mask | None = None,
    ) -> tuple[float, Array]:
        logits = np.asarray(outputs, np.float64)
        logs = logits - logits.max(axis=-1, keepdims=True)
        logs -= np.log(np.exp(logs).sum(axis=-1, keepdims=True))
        if mask is None:
            mask = np.ones(outputs.shape[:2], bool)
        values, slopes = self._paths(logs, targets, mask)
        share = np.full(len(outputs), 1 / max(terms, 1))
        if weights is not None:
            share *= weights
        if self.zero_infinity:
            lost = ~np.isfinite(values)
            values[lost] = share[lost] = slopes[lost] = 0
        slopes *= share[:, None, None]
        return float(values @ share), slopes.astype(outputs.dtype)

    def _paths(self, logs: Logs, targets: AnyArray, mask: Mask) -> tuple[Logs, Logs]:
        """Each example's -log P, and its derivatives in the logits."""
        lattice = _Lattice.of(targets, self.labels(targets), self.blank)
        emitted = np.take_along_axis(logs, lattice.classes[:, None, :], axis=2)
        before = lattice.before(emitted, mask)
        after = lattice.after(emitted, mask)
        total = _log_sum(before[:, -1] + lattice.final)
        slopes = np.exp(logs)
        with np.errstate(invalid="ignore"):
            shares = np.exp(before + after - total[:, None, None])
        examples = np.arange(len(logs))
        for place in range(lattice.classes.shape[1]):
            slopes[examples, :, lattice.classes[:, place]] -= shares[:, :, place]
        slopes *= mask[:, :, None]
        return -total, slopes

    def predictions(self, outputs: Array) -> Array:
        return softmax(outputs)


@dataclass(frozen=True, slots=True)
class _Lattice:
    """The places that a way goes through: blank, label, blank, label, ..., blank.

    classes (N, 2 S + 1); `skip` is 0 where a way may come from two places before, else -inf;
    `first` and `final` are 0 where a way may begin and end, else -inf.
    """

    classes: Indices
    skip: Logs
    first: Logs
    final: Logs

    @classmethod
    def of(cls, targets: AnyArray, given: Mask, blank: int) -> _Lattice:
        examples, labels = targets.shape
        classes = np.full((examples, 2 * labels + 1), blank, np.intp)
        classes[:, 1::2] = np.where(given, targets, blank)
        skip, first, final = (np.full(classes.shape, -np.inf) for _ in range(3))
        skip[:, 2:][(classes[:, 2:] != blank) & (classes[:, 2:] != classes[:, :-2])] = 0
        first[:, :2] = 0
        first[:, 1:2][~given[:, :1]] = -np.inf
        rows, lengths = np.arange(examples), given.sum(axis=1)
        final[rows, 2 * lengths] = 0
        final[rows[lengths > 0], 2 * lengths[lengths > 0] - 1] = 0
        return cls(classes, skip, first, final)

    def before(self, emitted: Logs, mask: Mask) -> Logs:
        """Log alpha (N, T, places), what is emitted at t included; masked steps change nothing."""
        found = np.empty_like(emitted)
        started = np.zeros((len(emitted), 1), bool)
        now = np.full(self.first.shape, -np.inf)
        for step in range(emitted.shape[1]):
            here = mask[:, step : step + 1]
            came = _log_sum_of(now, _moved(now, 1), _moved(now, 2) + self.skip)
            came = np.where(started, came, self.first) + emitted[:, step]
            now = np.where(here, came, now)
            started = started | here
            found[:, step] = now
        return found

    def after(self, emitted: Logs, mask: Mask) -> Logs:
        """Log beta (N, T, places), what is emitted at t left out."""
        found = np.empty_like(emitted)
        now = self.final
        skip = _moved(self.skip, -2)
        for step in reversed(range(emitted.shape[1])):
            found[:, step] = now
            here = mask[:, step : step + 1]
            left = now + emitted[:, step]
            came = _log_sum_of(left, _moved(left, -1), _moved(left, -2) + skip)
            now = np.where(here, came, now)
        return found


def _moved(values: Logs, places: int) -> Logs:
    """Values (N, L) moved along by so many places, -inf where none comes in."""
    moved = np.full(values.shape, -np.inf)
    if abs(places) >= values.shape[1]:
        return moved
    if places > 0:
        moved[:, places:] = values[:, :-places]
    else:
        moved[:, :places] = values[:, -places:]
    return moved


def _log_sum_of(*values: Logs) -> Logs:
    total: Logs = np.logaddexp(np.logaddexp(values[0], values[1]), values[2])
    return total


def _log_sum(values: Logs) -> Logs:
    """Log of the sum of exponentials along the last axis."""
    total: Logs = np.logaddexp.reduce(values, axis=-1)
    return total
