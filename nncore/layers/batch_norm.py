"""Batch normalization: y = gamma (x - mean) / sqrt(variance + epsilon) + beta, per channel.

In training, mean and variance are those of the batch over everything but the channels (of steps
that a mask admits), and moving averages of them are kept:
moving = momentum moving + (1 - momentum) batch. Otherwise the moving averages are used.
x, y (N, ..., C); gamma, beta, moving_mean, moving_variance (C,). Ioffe and Szegedy, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from nncore.arrays import Array, Params
from nncore.contiguous import contiguous
from nncore.documents.limits import Range
from nncore.initializers.constant import Ones, Zeros
from nncore.initializers.initializer import Initializer
from nncore.layers.layer import Layer
from nncore.normalization import feature_axis
from nncore.onnx.graph import Graph, Value
from nncore.operation import Weight
from nncore.passes import Pass
from nncore.registry import register
from nncore.regularizers.regularizer import Regularizer
from nncore.shapes import Shape, elements


@dataclass(frozen=True, slots=True)
class Centered:
    """What the backward pass needs: x minus its mean as rows (R, C), 1 / deviation (C,).

    `weights` (R, 1) say which rows counted, `count` (C,) how many in all shards, None in
    evaluation. Where the channels are the steps, each has weights (R, C) of its own.
    """

    rows: Array
    factor: Array
    weights: Array
    count: Array | None


@register("batch_norm")
@dataclass(frozen=True, slots=True)
class BatchNorm(Layer):
    """Brings each channel to mean beta and deviation gamma over the batch."""

    needs_output: ClassVar[bool] = False
    repeatable: ClassVar[bool] = True

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

    def of_channels(self, params: Params) -> tuple[Array, Array] | None:
        if self.axis != -1:
            return None
        factor = self._factor(params["moving_variance"])
        if self.scale:
            factor = factor * params["gamma"]
        summand = -params["moving_mean"] * factor
        return factor, summand + params["beta"] if self.center else summand

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, Centered]:
        turned = self._turned(x)
        channels = turned.shape[-1]
        rows = contiguous(turned, "x", pass_).reshape(turned.size // channels, channels)
        of_batch = pass_.training and self.trainable
        centered = Centered(
            pass_.buffer("centered", rows.shape, x.dtype),
            pass_.buffer("factor", (channels,), x.dtype),
            self._weights(x, pass_),
            pass_.buffer("count", (channels,), x.dtype) if of_batch else None,
        )
        pass_.do(self._center_batch if of_batch else self._center, params, rows, centered, pass_)
        y = pass_.buffer("y", rows.shape, x.dtype)
        pass_.do(self._scale, params, centered, y)
        return self._turned(y.reshape(turned.shape)), centered

    def backward(
        self, params: Params, cache: Centered, dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        turned, shape = self._turned(dy), cache.factor.shape
        slopes = contiguous(turned, "dy", pass_).reshape(cache.rows.shape)
        dx = pass_.buffer("dx", slopes.shape, dy.dtype)
        gradients = {
            name: pass_.gradient(name, shape, dy.dtype)
            for name, learned in (("beta", self.center), ("gamma", self.scale))
            if learned
        }
        pass_.do(self._slope, params, cache, slopes, dx, gradients, pass_)
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

    def _scale(self, params: Params, centered: Centered, y: Array) -> None:
        gain = centered.factor * params["gamma"] if self.scale else centered.factor
        np.multiply(centered.rows, gain, out=y)
        if self.center:
            y += params["beta"]

    def _slope(
        self,
        params: Params,
        centered: Centered,
        slopes: Array,
        dx: Array,
        gradients: Params,
        pass_: Pass,
    ) -> None:
        rows, factor, ones = centered.rows, centered.factor, np.ones(len(slopes), dx.dtype)
        np.multiply(slopes, rows, out=dx)
        sums = np.stack([ones @ slopes, (ones @ dx) * factor])
        for name, gradient in gradients.items():
            gradient[...] = sums[("beta", "gamma").index(name)]
        gain = factor * params["gamma"] if self.scale else factor
        if centered.count is None:
            np.multiply(slopes, gain, out=dx)
            return
        means = pass_.sum_over_shards(sums) / np.maximum(centered.count, 1)
        np.multiply(rows, -(means[1] * factor * gain), out=dx)
        dx -= means[0] * gain
        if pass_.mask is not None:
            dx *= centered.weights
        slopes *= gain
        dx += slopes

    def _center(self, params: Params, x: Array, centered: Centered, _: Pass) -> None:
        np.subtract(x, params["moving_mean"], out=centered.rows)
        centered.factor[...] = self._factor(params["moving_variance"])

    def _center_batch(self, params: Params, x: Array, centered: Centered, pass_: Pass) -> None:
        assert centered.count is not None
        rows, weights = centered.rows, centered.weights
        counted = np.broadcast_to(weights.sum(axis=0), x.shape[1:])
        totals = pass_.sum_over_shards(np.stack([_summed(weights, x), counted]))
        count = centered.count[...] = totals[1]
        mean = totals[0] / np.maximum(count, 1)
        np.subtract(x, mean, out=rows)
        squares = np.multiply(rows, rows, out=pass_.scratch("squares", x.shape, x.dtype))
        variance = pass_.sum_over_shards(_summed(weights, squares)) / np.maximum(count, 1)
        self._keep(params, "moving_mean", mean, count, pass_)
        self._keep(params, "moving_variance", variance, count, pass_)
        centered.factor[...] = self._factor(variance)

    def _keep(self, params: Params, name: str, batch: Array, count: Array, pass_: Pass) -> None:
        if not count.any():
            return
        before, kept = params[name], pass_.buffer(name, batch.shape, batch.dtype)
        kept[...] = before * self.momentum + batch * (1 - self.momentum)
        np.copyto(kept, before, where=count == 0)
        pass_.renew(name, kept)

    def _factor(self, variance: Array) -> Array:
        factor: Array = 1 / np.sqrt(variance + np.array(self.epsilon, variance.dtype))
        return factor

    def _weights(self, x: Array, pass_: Pass) -> Array:
        """1 where x (N, T, ...) counts, 0 for padding: a number for each row, or each value."""
        mask = pass_.mask
        if mask is None:
            return pass_.constant(1, (elements(self._turned(x).shape[:-1]), 1), x.dtype)
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
