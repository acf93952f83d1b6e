"""Poisson's negative log-likelihood of counts t, without the term that only they decide.

For a rate y: l = y - t log(y + epsilon), dl/dy = 1 - t / (y + epsilon). With `log_input` the output
is the rate's logarithm z: l = exp z - t z, dl/dz = exp z - t.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from nncore.arrays import AnyArray, Array
from nncore.documents.limits import Range
from nncore.losses.elementwise import Elementwise
from nncore.losses.loss import check_values
from nncore.registry import register
from nncore.shapes import Shape


@register("poisson")
@dataclass(frozen=True, slots=True)
class Poisson(Elementwise):
    """Counts against rates above 0 (e.g. of `softplus`), or against their logarithms."""

    log_input: bool = False
    epsilon: Annotated[float, Range(above=0)] = 1e-7

    def check(self, output_shape: Shape, targets: AnyArray) -> None:
        check_values("poisson", output_shape, targets)
        if targets.size and targets.min() < 0:
            raise ValueError(f"poisson needs targets of at least 0, got {targets.min()}")

    def elements(self, outputs: Array, wanted: Array) -> tuple[Array, Array]:
        if self.log_input:
            rates = np.exp(outputs)
            return rates - wanted * outputs, rates - wanted
        rates = outputs + self.epsilon
        return outputs - wanted * np.log(rates), 1 - wanted / rates

    def predictions(self, outputs: Array) -> Array:
        return np.exp(outputs) if self.log_input else outputs
