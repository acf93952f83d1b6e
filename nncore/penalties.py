"""What the regularizers of weights add to a loss and to its gradients."""

from __future__ import annotations

from collections.abc import Iterable

from nncore.arrays import Params
from nncore.program import Program
from nncore.regularizers import Regularizer


def penalties(program: Program, params: Params) -> float:
    """The sum over all trainable weights that have a regularizer."""
    return sum(
        regularizer.together([params[name] for name in names])[0]
        for regularizer, names in _regularized(program)
    )


def add_penalties(program: Program, params: Params, gradients: Params) -> float:
    """The same sum, its gradients added to those of the loss in place."""
    total = 0.0
    for regularizer, names in _regularized(program):
        penalty, slopes = regularizer.together([params[name] for name in names])
        total += penalty
        for name, slope in zip(names, slopes, strict=True):
            gradients[name] += slope
    return total


def _regularized(program: Program) -> Iterable[tuple[Regularizer, list[str]]]:
    """Each regularizer with all the weights that carry it: some look at them as a whole."""
    groups: dict[Regularizer, list[str]] = {}
    for name, weight in program.weights.items():
        if weight.regularizer is not None and weight.trainable:
            groups.setdefault(weight.regularizer, []).append(name)
    return groups.items()
