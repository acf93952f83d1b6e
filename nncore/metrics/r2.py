"""Coefficient of determination: 1 - sum (y - t)^2 / sum (t - mean t)^2, mean over the outputs.

The targets' spread is merged from batch to batch by its own formula (Chan, Golub and LeVeque,
1979), since the difference of two sums of squares would lose all digits for targets far from zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.metrics.metric import Metric, Tally, errors
from nncore.registry import register

_ROUNDING = 1e-14


@register("r2")
@dataclass(frozen=True, slots=True)
class R2(Metric):
    """Share of the targets' variance that is explained; 0 for always saying their mean."""

    greater_is_better: ClassVar[bool] = True

    def tally(self, predictions: Array, targets: AnyArray) -> Tally:
        error, wanted = (
            values.reshape(len(values), predictions[:1].size or 1)
            for values in errors("r2", predictions, targets)
        )
        count = np.full(wanted.shape[1], float(len(wanted)))
        mean = wanted.sum(axis=0) / max(len(wanted), 1)
        spread = np.square(wanted - mean).sum(axis=0)
        return np.stack([count, mean, spread, np.square(error).sum(axis=0)])

    def combine(self, one: Tally, other: Tally) -> Tally:
        count = one[0] + other[0]
        weight = other[0] / np.maximum(count, 1)
        apart = other[1] - one[1]
        mean = one[1] + apart * weight
        spread = one[2] + other[2] + np.square(apart) * one[0] * weight
        return np.stack([count, mean, spread, one[3] + other[3]])

    def value(self, tally: Tally) -> float:
        count, mean, spread, error = tally
        # Constant targets, but for rounding, leave nothing to explain: 1 if met exactly, else 0.
        constant = spread <= count * np.square(_ROUNDING * mean)
        shares = 1 - error / (spread + constant)
        return float(np.mean(np.choose(constant, [shares, error == 0])))
