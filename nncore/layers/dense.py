"""Affine map of the last axis: y = x W + b.   x (N, ..., I), W (I, O), b (O,), y (N, ..., O).

dx = dy W^T, dW = x^T dy, db = sum of dy, summed over examples and positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.errors import ArchitectureError
from nncore.initializers.constant import Zeros
from nncore.initializers.glorot import GlorotUniform
from nncore.initializers.initializer import Initializer
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.operation import Operation, Weight
from nncore.passes import Pass
from nncore.products import kernel_gradient, product
from nncore.registry import register
from nncore.regularizers.regularizer import Regularizer
from nncore.shapes import Positive, Shape, elements, written


@register("dense")
@dataclass(frozen=True, slots=True)
class Dense(Layer):
    """Affine map of the last axis: y = x W + b."""

    needs_output: ClassVar[bool] = False
    repeatable: ClassVar[bool] = True
    factored: ClassVar[tuple[str, ...]] = ("kernel",)
    weighs_channels: ClassVar[bool] = True

    units: Positive
    activation: Activation | None = None
    use_bias: bool = True
    kernel_initializer: Initializer = GlorotUniform()
    bias_initializer: Initializer = Zeros()
    kernel_regularizer: Regularizer | None = None
    bias_regularizer: Regularizer | None = None

    def operations(self) -> tuple[Operation, ...]:
        return self.followed_by(self.activation)

    def output_shape(self, shape: Shape) -> Shape:
        if not shape or shape[-1] is None:
            raise ArchitectureError(
                "", f"dense needs a last axis of known size, got shape {written(shape)}"
            )
        return (*shape[:-1], self.units)

    def weights(self, shape: Shape) -> dict[str, Weight]:
        sizes = (elements(shape[-1:]), self.units)
        kernel = Weight(sizes, self.kernel_initializer, regularizer=self.kernel_regularizer)
        bias = Weight((self.units,), self.bias_initializer, regularizer=self.bias_regularizer)
        return {"kernel": kernel, "bias": bias} if self.use_bias else {"kernel": kernel}

    def flops(self, shape: Shape) -> int:
        return elements(shape[:-1]) * self.units * (2 * elements(shape[-1:]) + self.use_bias)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        y = pass_.buffer("y", (*x.shape[:-1], self.units), x.dtype)
        vectors = y.reshape(-1, self.units)
        product(x.reshape(len(vectors), x.shape[-1]), params["kernel"], vectors, pass_)
        if self.use_bias:
            pass_.do(np.add, y, pass_.spread(params["bias"], y.shape), y)
        return y, x

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array | None, Params]:
        x, kernel = cache, params["kernel"]
        vectors = dy.reshape(-1, self.units)
        inputs = x.reshape(len(vectors), x.shape[-1])
        gradients = kernel_gradient("kernel", inputs, vectors, pass_)
        if self.use_bias:
            gradients["bias"] = pass_.gradient("bias", (self.units,), x.dtype)
            ones = pass_.constant(1, (len(vectors),), x.dtype)
            product(ones, vectors, gradients["bias"], pass_)
        if not pass_.needs_dx:
            return None, gradients
        dx = pass_.buffer("dx", x.shape, x.dtype)
        product(vectors, kernel.T, dx.reshape(inputs.shape), pass_)
        return dx, gradients

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        y = graph.node("MatMul", x.name, graph.weight("kernel", params["kernel"]))
        return graph.node("Add", y, graph.weight("bias", params["bias"])) if self.use_bias else y
