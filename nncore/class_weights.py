"""Weights of examples by their class: given ones, or such that all classes weigh the same."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.errors import ConfigError, step_into
from nncore.examples import Examples
from nncore.losses import Loss
from nncore.training_config import TrainingConfig


def with_class_weights(examples: Examples, losses: tuple[Loss, ...], c: TrainingConfig) -> Examples:
    """The examples, their weights times those that the configuration gives their classes."""
    if c.class_weight is None and c.class_balance is None:
        return examples
    field = "/class_weight" if c.class_weight is not None else "/class_balance"
    if len(examples.targets) > 1:
        raise ConfigError(field, "is for networks of one output; use sample weights instead")
    classes = _classes(examples.targets[0], losses[0], field)
    table = _balanced(classes) if c.class_weight is None else _given(c.class_weight, classes)
    # The last place of the table serves all that is no class.
    factors = np.append(table, 1.0)[np.where(classes < 0, len(table), classes)]
    weights = examples.weights[0]
    if weights is not None:
        factors = factors * weights.reshape(weights.shape + (1,) * (factors.ndim - weights.ndim))
    return Examples(examples.inputs, examples.targets, (factors,))


def _classes(targets: AnyArray, loss: Loss, field: str) -> AnyArray:
    """Integer classes, -1 where the loss does not look."""
    whole = np.asarray(targets)
    binary = whole.dtype.kind in "fb" and bool(np.isin(whole, (0, 1)).all())
    single = whole.ndim == 1 or whole.shape[1:] == (1,)
    if whole.dtype.kind not in "iu" and not (binary and single):
        raise ConfigError(field, "needs integer classes, or 0 and 1, as targets")
    classes = whole.astype(np.int64)
    counted = loss.counted(targets)
    return classes if counted is None else np.where(counted, classes, -1)


def _balanced(classes: AnyArray) -> Array:
    """N / (classes that occur * occurrences), as scikit-learn's `balanced`."""
    counts = np.bincount(classes[classes >= 0])
    occurring = np.count_nonzero(counts)
    shares: Array = counts.sum() / (max(occurring, 1) * np.maximum(counts, 1))
    return shares


def _given(weights: Mapping[str, float], classes: AnyArray) -> Array:
    for name in weights:
        if not name.isdecimal():
            raise ConfigError(step_into("/class_weight", name), "must name a class: 0, 1, 2, ...")
    # Classes beyond those that occur are allowed and of no use.
    table = np.ones(int(classes.max(initial=-1)) + 1)
    for name, weight in weights.items():
        if int(name) < len(table):
            table[int(name)] = weight
    return table
