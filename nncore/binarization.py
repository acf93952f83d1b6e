"""Kernels and inputs of -1 and 1, and the gradients of the real numbers behind them.

straight_through: the kernel is sign(W). error_decay: with W standardised over the inputs of each
output, V = (W - mean) / deviation, it is sign(V) 2^r with r = round(log2 mean |V|), so that
multiplying is a shift; the gradient goes through the standardisation, not through r. Signs have the
stand-in derivatives of `estimators`. Qin, Gong, Liu, Shen, Wei, Yu and Song, 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.estimators import Estimator, signs, surrogate

_EPSILON = 1e-12  # a deviation of 0 must not divide


@dataclass(frozen=True, slots=True)
class BinaryKernel:
    """A kernel (..., inputs, outputs) as it is multiplied, and what its gradient needs.

    `latent` is what the signs are taken of; `scale` and `deviation` (outputs,) are None where
    nothing is scaled or standardised.
    """

    value: Array
    latent: Array
    scale: Array | None
    deviation: Array | None

    @classmethod
    def of(cls, weight: Array, estimator: Estimator) -> BinaryKernel:
        """The binary kernel of a real one."""
        if estimator == "straight_through":
            return cls(signs(weight), weight, None, None)
        rows = weight.reshape(-1, weight.shape[-1])
        centred = rows - rows.mean(axis=0)
        deviation = np.sqrt(np.square(centred).mean(axis=0) + _EPSILON)
        latent = centred / deviation
        size = np.maximum(np.abs(latent).mean(axis=0), _EPSILON)
        scale = np.exp2(np.round(np.log2(size)))
        value = (signs(latent) * scale).reshape(weight.shape)
        return cls(value, latent, scale, deviation)

    def back(self, gradient: Array, estimator: Estimator, progress: float) -> Array:
        """The real kernel's gradient from that of the binary one."""
        slope = surrogate(self.latent, estimator, progress)
        slope *= gradient.reshape(slope.shape)
        if self.scale is None or self.deviation is None:
            return slope
        slope *= self.scale
        aligned = (slope * self.latent).mean(axis=0)
        slope -= slope.mean(axis=0)
        slope -= self.latent * aligned
        slope /= self.deviation
        return slope.reshape(gradient.shape)
