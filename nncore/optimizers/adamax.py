"""AdaMax: Adam with the largest decayed gradient in place of the mean square.

m = b1 m + (1 - b1) g, u = max(b2 u, |g| + epsilon), w -= rate m / ((1 - b1^t) u). Kingma and Ba,
2015.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from nncore.arrays import Array
from nncore.documents.limits import Range
from nncore.optimizers.chunks import in_chunks
from nncore.optimizers.optimizer import Optimizer, Slots, decayed
from nncore.registry import register


@register("adamax")
@dataclass(frozen=True, slots=True)
class Adamax(Optimizer):
    """Steps scaled by the largest gradient of late."""

    slots: ClassVar[tuple[str, ...]] = ("mean", "largest")

    learning_rate: Annotated[float, Range(min=0)] = 0.002
    beta_1: Annotated[float, Range(min=0, below=1)] = 0.9
    beta_2: Annotated[float, Range(min=0, below=1)] = 0.999
    epsilon: Annotated[float, Range(above=0)] = 1e-8
    weight_decay: Annotated[float, Range(min=0)] = 0.0

    def update(
        self,
        params: Mapping[str, Array],
        gradients: Mapping[str, Array],
        state: Slots,
        step: int,
        learning_rate: float,
    ) -> None:
        rate = learning_rate / (1 - self.beta_1**step)
        for name, gradient in gradients.items():
            arrays = (params[name], gradient, state["mean"][name], state["largest"][name])
            for weight, slope, mean, largest in in_chunks(*arrays):
                slope = decayed(slope, weight, self.weight_decay)
                mean *= self.beta_1
                mean += (1 - self.beta_1) * slope
                largest *= self.beta_2
                np.maximum(largest, np.abs(slope) + self.epsilon, out=largest)
                weight -= rate * mean / largest
