"""Batch normalization: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, per channel.

In training, mean and variance are those of the batch over everything but the channels (of steps
that a mask admits), and moving averages of them are kept:
moving = momentum moving + (1 - momentum) batch. Otherwise the moving averages are used.
x, y (N, ..., C); gamma, beta, moving_mean, moving_variance (C,). Ioffe and Szegedy, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from nncore.arrays import Array, Params
from nncore.documents.limits import Range
from nncore.initializers.constant import Ones, Zeros
from nncore.initializers.initializer import Initializer
from nncore.layers.layer import Layer
from nncore.normalization import feature_axis
from nncore.onnx.graph import Graph, Value
from nncore.operation import Weight
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.regularizers.regularizer import Regularizer
from nncore.shapes import Shape, elements


@dataclass(frozen=True, slots=True)
class Centered:
    """What the backward pass needs: x minus its mean as rows (R, C), 1 / deviation (C,).

    `weights` (R, 1) say which rows counted; `count` how many over all shards, None in evaluation.
    Where the channels are the steps, each has weights (R, C) and a count (C,) of its own.
    """

    rows: Array
    factor: Array
    weights: Array
    count: Array | None


@register("batch_norm")
@dataclass(frozen=True, slots=True)
class BatchNorm(Layer):
    """Brings each channel to mean beta and deviation gamma over the batch."""

    axis: int = -1
    momentum: Annotated[float, Range(min=0, max=1)] = 0.99
    epsilon: Annotated[float, Range(min=0)] = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Initializer = Zeros()
    gamma_initializer: Initializer = Ones()
    beta_regularizer: Regularizer | None = None
    gamma_regularizer: Regularizer | None = None
    moving_mean_initializer: Initializer = Zeros()
    moving_variance_initializer: Initializer = Ones()

    def output_shape(self, shape: Shape) -> Shape:
        feature_axis(self.axis, shape, "batch_norm")
        return shape

    def weights(self, shape: Shape) -> dict[str, Weight]:
        channels = (elements((shape[feature_axis(self.axis, shape, "batch_norm")],)),)
        weights = {}
        if self.scale:
            weights["gamma"] = Weight(
                channels, self.gamma_initializer, regularizer=self.gamma_regularizer
            )
        if self.center:
            weights["beta"] = Weight(
                channels, self.beta_initializer, regularizer=self.beta_regularizer
            )
        weights["moving_mean"] = Weight(channels, self.moving_mean_initializer, trainable=False)
        weights["moving_variance"] = Weight(
            channels, self.moving_variance_initializer, trainable=False
        )
        return weights

    def flops(self, shape: Shape) -> int:
        return 2 * elements(shape)

    def kept(self, shape: Shape) -> int:
        return 3 * elements(shape)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Centered]:
        turned = self._turned(x)
        channels = turned.shape[-1]
        x_rows = np.ascontiguousarray(turned).reshape(turned.size // channels, channels)
        if pass_.training and self.trainable:
            centered = self._center_batch(params, x_rows, self._weights(x, pass_.mask), pass_)
        else:
            rows = pass_.buffer("centered", x_rows.shape, x.dtype)
            np.subtract(x_rows, params["moving_mean"], out=rows)
            factor = self._factor(params["moving_variance"])
            centered = Centered(rows, factor, np.ones((len(rows), 1), x.dtype), None)
        y = pass_.buffer("y", x_rows.shape, x.dtype)
        gain = centered.factor * params["gamma"] if self.scale else centered.factor
        np.multiply(centered.rows, gain, out=y)
        if self.center:
            y += params["beta"]
        return self._turned(y.reshape(turned.shape)), centered

    def backward(
        self, params: Params, cache: Centered, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        turned, factor, count = self._turned(dy), cache.factor, cache.count
        slopes = np.ascontiguousarray(turned).reshape(cache.rows.shape)
        dx = pass_.buffer("dx", slopes.shape, dy.dtype)
        np.multiply(slopes, cache.rows, out=dx)
        ones = np.ones(len(slopes), dy.dtype)
        sums = np.stack([ones @ slopes, (ones @ dx) * factor])
        gradients = {"beta": sums[0]} if self.center else {}
        gain = factor
        if self.scale:
            gradients["gamma"], gain = sums[1], factor * params["gamma"]
        if count is None:
            np.multiply(slopes, gain, out=dx)
        else:
            means = pass_.sum_over_shards(sums) / np.maximum(count, 1)
            np.multiply(cache.rows, -(means[1] * factor * gain), out=dx)
            dx -= means[0] * gain
            if pass_.mask is not None:
                dx *= cache.weights
            dx += np.multiply(slopes, gain, out=slopes)
        return self._turned(dx.reshape(turned.shape)), gradients

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        behind = len(x.shape) - 1 - feature_axis(self.axis, x.shape, "batch_norm")

        def along(name: str, weight: Array) -> str:
            return graph.weight(name, weight.reshape(-1, *(1,) * behind))

        gain = self._factor(params["moving_variance"])
        if self.scale:
            gain = gain * params["gamma"]
        y = graph.node("Sub", x.name, along("moving_mean", params["moving_mean"]))
        y = graph.node("Mul", y, along("gain", gain))
        return graph.node("Add", y, along("beta", params["beta"])) if self.center else y

    def _center_batch(self, params: Params, x: Array, weights: Array, pass_: Pass) -> Centered:
        first = np.stack([_summed(weights, x), np.zeros(x.shape[1], x.dtype) + weights.sum(axis=0)])
        totals = pass_.sum_over_shards(first)
        count = totals[1]
        mean = totals[0] / np.maximum(count, 1)
        rows = pass_.buffer("centered", x.shape, x.dtype)
        np.subtract(x, mean, out=rows)
        squares = np.multiply(rows, rows, out=pass_.scratch("squares", x.shape, x.dtype))
        variance = pass_.sum_over_shards(_summed(weights, squares)) / np.maximum(count, 1)
        self._keep(params, "moving_mean", mean, count, pass_)
        self._keep(params, "moving_variance", variance, count, pass_)
        return Centered(rows, self._factor(variance), weights, count)

    def _keep(self, params: Params, name: str, batch: Array, count: Array, pass_: Pass) -> None:
        before = params[name]
        if count.any():
            after = before * self.momentum + batch * (1 - self.momentum)
            pass_.renew(name, after if count.all() else np.where(count, after, before))

    def _factor(self, variance: Array) -> Array:
        factor: Array = 1 / np.sqrt(variance + np.array(self.epsilon, variance.dtype))
        return factor

    def _weights(self, x: Array, mask: Mask | None) -> Array:
        """1 where x (N, T, ...) counts, 0 for padding: a number for each row, or each value."""
        if mask is None:
            turned = self._turned(x).shape
            return np.ones((elements(turned[:-1]), 1), x.dtype)
        spread = mask.reshape(*mask.shape, *(1,) * (x.ndim - 2))
        turned_mask = self._turned(np.broadcast_to(spread, x.shape))
        if turned_mask.strides[-1] == 0:
            turned_mask = turned_mask[..., :1]
        width = turned_mask.shape[-1]
        weights: Array = turned_mask.astype(x.dtype).reshape(-1, width)
        return weights

    def _turned(self, x: Any) -> Any:
        """The channels' axis last; the same again turns back."""
        axis = 1 + feature_axis(self.axis, x.shape[1:], "batch_norm")
        return x if axis == x.ndim - 1 else x.swapaxes(axis, -1)


def _summed(weights: Array, rows: Array) -> Array:
    """The sum of the rows (R, C) that count, (C,)."""
    if weights.shape[1] == 1:
        return weights[:, 0] @ rows
    total: Array = np.einsum("rc,rc->c", weights, rows)
    return total
