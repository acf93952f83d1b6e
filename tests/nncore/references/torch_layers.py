"""Layers and activations that Keras on PyTorch lacks or computes differently, from their formulas.

Gradients are PyTorch's, by automatic differentiation.
"""

from __future__ import annotations

from typing import Any

import keras
import torch
from torch.nn import functional


class LocalResponseNorm(keras.layers.Layer):
    """TensorFlow's fields for PyTorch's layer, which divides alpha by the number of channels."""

    def __init__(
        self, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5
    ):
        super().__init__()
        size = 2 * depth_radius + 1
        self.setting = (size, alpha * size, beta, bias)

    def call(self, x: torch.Tensor) -> torch.Tensor:
        first = x.movedim(-1, 1)
        return functional.local_response_norm(first, *self.setting).movedim(1, -1)


class SameAveragePooling(keras.layers.Layer):
    """The mean of what a window covers of the image, as Keras documents `same` padding.

    On PyTorch Keras repeats the border where the margins differ, and takes it into the mean.
    """

    def __init__(self, pool_size: Any = 2, strides: Any = None):
        super().__init__()
        self.window, self.strides = pool_size, strides or pool_size

    def call(self, x: torch.Tensor) -> torch.Tensor:
        axes = x.ndim - 2
        windows, strides = (
            size if isinstance(size, tuple) else (size,) * axes
            for size in (self.window, self.strides)
        )
        margins = []
        for length, window, stride in zip(x.shape[1:-1], windows, strides, strict=True):
            missing = max((-(-length // stride) - 1) * stride + window - length, 0)
            margins = [missing // 2, missing - missing // 2, *margins]
        pool = functional.avg_pool1d if axes == 1 else functional.avg_pool2d
        here = functional.pad(torch.ones_like(x).movedim(-1, 1), margins)
        sums = pool(functional.pad(x.movedim(-1, 1), margins), windows, strides)
        return (sums / pool(here, windows, strides)).movedim(1, -1)


class LayerNormAlong(keras.layers.Layer):
    """Layer normalization of one axis that is not the last, which fails in Keras on PyTorch."""

    def __init__(self, axis: int, **options: Any):
        super().__init__()
        self.axis, self.last = axis, keras.layers.LayerNormalization(**options)

    def call(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(x.movedim(self.axis, -1)).movedim(-1, self.axis)


class MinPooling2D(keras.layers.Layer):
    """The minimum is the maximum of the negated image, negated."""

    def __init__(self, **options: Any):
        super().__init__()
        self.maximum = keras.layers.MaxPooling2D(**options)

    def call(self, x: torch.Tensor) -> torch.Tensor:
        return -self.maximum(-x)


class Adaptive(keras.layers.Layer):
    """y = f(n a z) + sum over k of n alpha_k sin(k n omega_k z)."""

    def __init__(
        self, base: str = "tanh", n: float = 1.0, scope: str = "layer", rowdy_terms: int = 0
    ):
        super().__init__()
        self.base, self.n = getattr(keras.activations, base), n
        self.scope, self.terms = scope, rowdy_terms

    def build(self, shape: Any) -> None:
        width = shape[-1] if self.scope == "neuron" else 1
        self.slope = self.add_weight(shape=(width,), name="slope")
        if self.terms:
            self.amplitude = self.add_weight(shape=(self.terms, width), name="amplitude")
            self.frequency = self.add_weight(shape=(self.terms, width), name="frequency")

    def call(self, x: torch.Tensor) -> torch.Tensor:
        y = self.base(self.n * self.slope.value * x)
        for k in range(1, self.terms + 1):
            amplitude, frequency = self.amplitude.value[k - 1], self.frequency.value[k - 1]
            y = y + self.n * amplitude * torch.sin(k * self.n * frequency * x)
        return y


class BinaryDense(keras.layers.Dense):
    """A dense layer of signs."""

    def __init__(
        self,
        units: int,
        estimator: str = "straight_through",
        binary_weights: bool = True,
        binary_inputs: bool = True,
        **options: Any,
    ):
        super().__init__(units, **options)
        self.binary = (estimator, binary_weights, binary_inputs)

    def call(self, x: torch.Tensor) -> torch.Tensor:
        x, kernel = _binarized(x, self.kernel.value, *self.binary)
        y = x @ kernel
        return self.activation(y if self.bias is None else y + self.bias.value)


class BinaryConv2D(keras.layers.Conv2D):
    """A convolution of signs."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        estimator: str = "straight_through",
        binary_weights: bool = True,
        binary_inputs: bool = True,
        **options: Any,
    ):
        super().__init__(filters, kernel_size, **options)
        self.binary = (estimator, binary_weights, binary_inputs)

    def call(self, x: torch.Tensor) -> torch.Tensor:
        x, kernel = _binarized(x, self._kernel.value, *self.binary)
        y = self.convolution_op(x, kernel)
        return self.activation(y if self.bias is None else y + self.bias.value)


def _binarized(
    x: torch.Tensor, kernel: torch.Tensor, estimator: str, weights: bool, inputs: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    if inputs:
        x = binary(x, estimator)
    if not weights:
        return x, kernel
    if estimator == "straight_through":
        return x, binary(kernel, estimator)
    rows = kernel.reshape(-1, kernel.shape[-1])
    latent = (rows - rows.mean(0)) / rows.std(0, correction=0)
    scale = 2 ** torch.round(torch.log2(latent.detach().abs().mean(0)))
    return x, (binary(latent, estimator) * scale).reshape(kernel.shape)


def hard_sigmoid(x: torch.Tensor) -> torch.Tensor:
    """PyTorch's own multiplies its gradient by a sixth in float32."""
    return torch.clamp(x + 3, 0, 6) / 6


def binary(x: torch.Tensor, estimator: str = "straight_through") -> torch.Tensor:
    """The sign, with the derivative of a stand-in: a clamp, or the tanh that a trained net has."""
    sharpness = 10.0
    smooth = torch.clamp(x, -1, 1)
    if estimator == "error_decay":
        smooth = max(1 / sharpness, 1) * torch.tanh(sharpness * x)
    signs = torch.where(x >= 0, 1.0, -1.0)
    return smooth + (signs - smooth).detach()


ACTIVATIONS = {"hard_sigmoid": hard_sigmoid, "binary": binary, "sin": torch.sin}
