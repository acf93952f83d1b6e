"""Rectifier with a trained slope: y = max(x, 0) + alpha min(x, 0).

alpha has the shape of an example, with 1 along the shared axes (1 is an example's first axis);
dx = dy (1 or alpha), dalpha = sum of dy min(x, 0). He, Zhang, Ren and Sun, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.activations.activation import Activation
from nncore.arrays import Array, Params
from nncore.errors import ArchitectureError
from nncore.initializers.constant import Zeros
from nncore.initializers.initializer import Initializer
from nncore.onnx.graph import Graph, Value
from nncore.operation import Weight
from nncore.passes import Pass
from nncore.registry import register
from nncore.regularizers.regularizer import Regularizer
from nncore.shapes import Positive, Shape, written


@register("prelu")
@dataclass(frozen=True, slots=True)
class Prelu(Activation):
    """y = x above 0, alpha x below, with a trained alpha for each place or channel."""

    alpha_initializer: Initializer = Zeros()
    alpha_regularizer: Regularizer | None = None
    shared_axes: tuple[Positive, ...] = ()

    def output_shape(self, shape: Shape) -> Shape:
        for index, axis in enumerate(self.shared_axes):
            if axis > len(shape):
                raise ArchitectureError(
                    f"/shared_axes/{index}",
                    f"{axis} is no axis of an example of shape {written(shape)}; 1 is the first",
                )
        if None in self._alpha_shape(shape):
            raise ArchitectureError(
                "/shared_axes",
                f"must hold the axes whose size varies: an example has shape {written(shape)}, "
                "its first axis is 1",
            )
        return shape

    def weights(self, shape: Shape) -> dict[str, Weight]:
        sizes = tuple(size or 1 for size in self._alpha_shape(shape))
        alpha = Weight(sizes, self.alpha_initializer, regularizer=self.alpha_regularizer)
        return {"alpha": alpha}

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Array]:
        y = pass_.buffer("y", x.shape, x.dtype)
        np.minimum(x, 0, out=y)
        y *= params["alpha"]
        y += np.maximum(x, 0)
        return y, x

    def backward(
        self, params: Params, cache: Array, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        x, alpha = cache, params["alpha"]
        dx = pass_.buffer("dx", x.shape, x.dtype)
        np.minimum(x, 0, out=dx)
        dx *= dy
        axes = (0, *self.shared_axes)
        dalpha = dx.sum(axis=axes).reshape(alpha.shape)
        above = x > 0
        np.multiply(dy, alpha, out=dx)
        np.copyto(dx, dy, where=above)
        return dx, {"alpha": dalpha}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        return graph.node("PRelu", x.name, graph.weight("alpha", params["alpha"]))

    def _alpha_shape(self, shape: Shape) -> Shape:
        return tuple(
            1 if axis in self.shared_axes else size for axis, size in enumerate(shape, start=1)
        )
