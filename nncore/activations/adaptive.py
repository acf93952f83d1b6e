"""Adaptive activation: y = f(n a z), with a trained slope a for all, for a layer or a neuron.

n is fixed and n a = 1 at the start. With K Rowdy terms, sum_k n alpha_k sin(k n omega_k z), k = 1
... K, is added; alpha_k is 0 and omega_k 1 at the start. Slope recovery adds W S to the loss, with
S = 1 / mean over the slopes' layers of exp(mean a), which pays for steep slopes.
Jagtap, Kawaguchi and Karniadakis, 2020; Jagtap, Shin, Kawaguchi and Karniadakis, 2022.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from nncore.activations.activation import Activation
from nncore.activations.tanh import Tanh
from nncore.arrays import Array, Params
from nncore.documents.limits import Range
from nncore.errors import ArchitectureError
from nncore.initializers.constant import Constant, Ones, Zeros
from nncore.onnx.graph import Graph, Value
from nncore.operation import Weight
from nncore.passes import Pass
from nncore.registry import register
from nncore.regularizers.regularizer import Regularizer
from nncore.shapes import Shape, elements, written


@dataclass(frozen=True, slots=True)
class SlopeRecovery(Regularizer):
    """factor / mean_k exp(mean a_k) over all slopes a_k of a network."""

    factor: float

    def together(self, weights: Sequence[Array]) -> tuple[float, list[Array]]:
        steep = [math.exp(slope.mean(dtype=np.float64)) for slope in weights]
        penalty = self.factor * len(steep) / sum(steep)
        return penalty, [
            np.full_like(slope, -penalty * power / (sum(steep) * slope.size))
            for slope, power in zip(weights, steep, strict=True)
        ]


@register("adaptive")
@dataclass(frozen=True, slots=True)
class Adaptive(Activation):
    """A base activation whose slope is trained, and sines with trained strengths beside it.

    `scope`: one slope for the network, the layer, or each neuron (place on the last axis).
    """

    base: Activation = Tanh()
    n: Annotated[float, Range(above=0)] = 1.0
    scope: Literal["network", "layer", "neuron"] = "layer"
    slope_recovery: Annotated[float, Range(min=0)] = 0.0
    rowdy_terms: Annotated[int, Range(min=0, max=100)] = 0

    def output_shape(self, shape: Shape) -> Shape:
        if self.base.weights(shape):
            raise ArchitectureError(
                "/base", f"{self.base.type_name} has weights of its own; use a plain activation"
            )
        if self.scope == "neuron" and (not shape or shape[-1] is None):
            raise ArchitectureError(
                "/scope", f"a slope a neuron needs a last axis of known size, got {written(shape)}"
            )
        return self.base.output_shape(shape)

    def weights(self, shape: Shape) -> dict[str, Weight]:
        width = elements(shape[-1:]) if self.scope == "neuron" else 1
        recovery = SlopeRecovery(self.slope_recovery) if self.slope_recovery else None
        shared = self if self.scope == "network" else None
        slope = Weight((width,), Constant(1 / self.n), regularizer=recovery, shared=shared)
        if not self.rowdy_terms:
            return {"slope": slope}
        terms = (self.rowdy_terms, width)
        return {
            "slope": slope,
            "amplitude": Weight(terms, Zeros(), shared=shared),
            "frequency": Weight(terms, Ones(), shared=shared),
        }

    def flops(self, shape: Shape) -> int:
        return elements(shape) * (1 + 3 * self.rowdy_terms) + self.base.flops(shape)

    def kept(self, shape: Shape) -> int:
        return (8 if self.rowdy_terms else 3) * elements(shape) + self.base.kept(shape)

    def forward(self, params: Params, x: Array, pass_: Pass) -> tuple[Array, tuple[Array, object]]:
        steep = pass_.buffer("steep", x.shape, x.dtype)
        np.multiply(x, self._factor(params), out=steep)
        value, cache = self.base.forward({}, steep, pass_.inner("base"))
        if not self.rowdy_terms:
            return value, (x, cache)
        y = pass_.buffer("y", x.shape, x.dtype)
        np.copyto(y, value)
        for _, amplitude, frequency in self._rowdy(params):
            y += amplitude * np.sin(frequency * x)
        return y, (x, cache)

    def backward(
        self, params: Params, cache: tuple[Array, object], dy: Array, pass_: Pass
    ) -> tuple[Array, Params]:
        x, inner = cache
        rowdy = self._rowdy_backward(params, x, dy)
        dsteep, _ = self.base.backward({}, inner, dy, pass_.inner("base"))
        slope = self._summed(dsteep * x, params["slope"]) * self.n
        dx = pass_.buffer("dx", x.shape, x.dtype)
        np.multiply(dsteep, self._factor(params), out=dx)
        if rowdy is None:
            return dx, {"slope": slope}
        dx += rowdy.pop("x")
        return dx, {"slope": slope, **rowdy}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        slope = graph.weight("slope", self._factor(params))
        steep = Value(graph.node("Mul", x.name, slope), x.shape)
        y = self.base.to_onnx({}, steep, graph)
        for number, amplitude, frequency in self._rowdy(params):
            inside = graph.node("Mul", x.name, graph.weight(f"frequency_{number}", frequency))
            wave = graph.node("Sin", inside)
            wave = graph.node("Mul", wave, graph.weight(f"amplitude_{number}", amplitude))
            y = graph.node("Add", y, wave)
        return y

    def _factor(self, params: Params) -> Array:
        factor: Array = params["slope"] * params["slope"].dtype.type(self.n)
        return factor

    def _rowdy(self, params: Params) -> Iterator[tuple[int, Array, Array]]:
        """Each sine's number from 1, n alpha and k n omega."""
        pairs = zip(params.get("amplitude", ()), params.get("frequency", ()), strict=True)
        for number, (amplitude, frequency) in enumerate(pairs, start=1):
            yield number, amplitude * self.n, frequency * (number * self.n)

    def _rowdy_backward(self, params: Params, x: Array, dy: Array) -> Params | None:
        if not self.rowdy_terms:
            return None
        found = {
            "x": np.zeros_like(x),
            "amplitude": np.empty_like(params["amplitude"]),
            "frequency": np.empty_like(params["frequency"]),
        }
        for number, amplitude, frequency in self._rowdy(params):
            row = number - 1
            found["amplitude"][row] = self._summed(dy * np.sin(frequency * x), amplitude) * self.n
            pull = dy * amplitude * np.cos(frequency * x)
            found["x"] += pull * frequency
            found["frequency"][row] = self._summed(pull * x, frequency) * (number * self.n)
        return found

    def _summed(self, values: Array, like: Array) -> Array:
        """Values (N, ..., C) summed to the shape (C,) or (1,) of a weight."""
        total: Array = values.reshape(-1, values.shape[-1]).sum(axis=0)
        return total if self.scope == "neuron" else total.sum(keepdims=True)
