"""The exponential running mean of weights: e = w at first, then e = d e + (1 - d) w.

As Keras' `use_ema`. Polyak and Juditsky, 1992, with decaying weights.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nncore.arrays import Array, Params


class Average:
    """Follows trained weights from step to step."""

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self.weights: Params = {}

    def follow(self, trained: Mapping[str, Array]) -> None:
        """Take note of the weights after a step."""
        for name, weight in trained.items():
            if name not in self.weights:
                self.weights[name] = weight.copy()
                continue
            mean = self.weights[name]
            mean *= self._decay
            mean += (1 - self._decay) * weight

    def applied(self, params: Params) -> Params:
        """The weights with the means in place of those that are trained."""
        return {**params, **self.weights}

    def put_into(self, params: Params) -> None:
        """Make the means the weights."""
        for name, mean in self.weights.items():
            np.copyto(params[name], mean)
