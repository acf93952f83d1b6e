"""Start values whose variance follows the size of the weight: Var w = scale / n.

n is the fan in, the fan out or their mean. Glorot's, He's and LeCun's are special cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from nncore.arrays import Array
from nncore.documents.limits import Range
from nncore.initializers.initializer import Initializer
from nncore.initializers.variance import fans, normal, truncated_normal, uniform
from nncore.registry import register

_DRAWS = {
    "truncated_normal": truncated_normal,
    "untruncated_normal": normal,
    "uniform": uniform,
}


@register("variance_scaling")
@dataclass(frozen=True, slots=True)
class VarianceScaling(Initializer):
    """Variance scale / n, n being the fan in, the fan out or their mean; fields as in Keras."""

    scale: Annotated[float, Range(above=0)] = 1.0
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] = "truncated_normal"

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        fan_in, fan_out = fans(shape)
        number = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        return _DRAWS[self.distribution](rng, self.scale / number[self.mode], shape, dtype)
