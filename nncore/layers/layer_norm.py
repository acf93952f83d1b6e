"""Layer normalization: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, example by example.

Mean and variance are those of the values along `axis` (several axes: of their block), at each place
of the other axes; gamma and beta have the shape of that block. Ba, Kiros and Hinton, 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from nncore.arrays import Array, Params
from nncore.documents.limits import Range
from nncore.errors import ArchitectureError
from nncore.initializers.constant import Ones, Zeros
from nncore.initializers.initializer import Initializer
from nncore.layers.layer import Layer
from nncore.normalization import Normalized, feature_axis, normalize_rows, normalize_rows_back
from nncore.onnx.graph import Graph, Value
from nncore.operation import Weight
from nncore.passes import Pass
from nncore.reductions import sum_rows
from nncore.registry import register
from nncore.regularizers.regularizer import Regularizer
from nncore.shapes import Shape, elements


@register("layer_norm")
@dataclass(frozen=True, slots=True)
class LayerNorm(Layer):
    """Brings the values of each example to mean beta and deviation gamma along an axis or axes."""

    axis: int | tuple[int, ...] = -1
    epsilon: Annotated[float, Range(min=0)] = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Initializer = Zeros()
    gamma_initializer: Initializer = Ones()
    beta_regularizer: Regularizer | None = None
    gamma_regularizer: Regularizer | None = None

    def output_shape(self, shape: Shape) -> Shape:
        self._axes(shape)
        return shape

    def weights(self, shape: Shape) -> dict[str, Weight]:
        block = tuple(elements((shape[axis],)) for axis in self._axes(shape))
        weights = {}
        if self.scale:
            weights["gamma"] = Weight(
                block, self.gamma_initializer, regularizer=self.gamma_regularizer
            )
        if self.center:
            weights["beta"] = Weight(
                block, self.beta_initializer, regularizer=self.beta_regularizer
            )
        return weights

    def flops(self, shape: Shape) -> int:
        return 8 * elements(shape)

    def kept(self, shape: Shape) -> int:
        return 3 * elements(shape)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Normalized]:
        order, block = self._order(x)
        turned = x.transpose(order)
        rows = np.ascontiguousarray(turned).reshape(x.size // max(block, 1), block)
        normalized = normalize_rows(rows, self.epsilon, pass_)
        y = pass_.buffer("y", rows.shape, x.dtype)
        np.copyto(y, normalized.rows)
        if self.scale:
            y *= params["gamma"].reshape(block)
        if self.center:
            y += params["beta"].reshape(block)
        return y.reshape(turned.shape).transpose(np.argsort(order)), normalized

    def backward(
        self, params: Params, cache: Normalized, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        order, block = self._order(dy)
        turned = dy.transpose(order)
        slopes = pass_.buffer("dx", cache.rows.shape, dy.dtype)
        np.copyto(slopes.reshape(turned.shape), turned)
        gradients = {}
        if self.scale:
            gamma = params["gamma"]
            gradients["gamma"] = sum_rows(slopes * cache.rows).reshape(gamma.shape)
        if self.center:
            gradients["beta"] = sum_rows(slopes).reshape(params["beta"].shape)
        if self.scale:
            slopes *= gamma.reshape(block)
        dx = normalize_rows_back(cache, slopes)
        return dx.reshape(turned.shape).transpose(np.argsort(order)), gradients

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        axes = self._axes(x.shape)
        order = [axis for axis in range(len(x.shape) + 1) if axis - 1 not in axes]
        order += [axis + 1 for axis in axes]
        block = tuple(elements((x.shape[axis],)) for axis in axes)
        weights = [graph.weight("gamma", params.get("gamma", np.ones(block, graph.dtype)))]
        if self.center:
            weights.append(graph.weight("beta", params["beta"]))
        y = graph.node(
            "LayerNormalization",
            graph.turn(x.name, *order),
            *weights,
            axis=-len(axes),
            epsilon=float(self.epsilon),
        )
        return graph.turn(y, *map(int, np.argsort(order)))

    def _axes(self, shape: Shape) -> list[int]:
        """The normalized axes in order, as indices of an example's shape."""
        given = (self.axis,) if isinstance(self.axis, int) else self.axis
        axes = sorted({feature_axis(axis, shape, "layer_norm") for axis in given})
        if not axes or len(axes) < len(given):
            raise ArchitectureError("/axis", "needs one axis or several that differ")
        return axes

    def _order(self, x: Array) -> tuple[list[int], int]:
        """The axes of x, the normalized ones last, and the size of their block."""
        axes = [axis + 1 for axis in self._axes(x.shape[1:])]
        others = [axis for axis in range(x.ndim) if axis not in axes]
        return others + axes, elements(tuple(x.shape[axis] for axis in axes))
