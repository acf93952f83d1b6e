"""Back-propagation through time, shared by all recurrent layers.

Of z_t = x_t W + h_(t-1) R + b, the part of the inputs is one product for all steps, and so are the
gradients of W, R and b at the end: x^T dz, h^T dz, sum of dz. What is left for a step is the
product with R and the cell's formula. Arrays have the gates first, so that each gate of a step is
contiguous: z (G, S, N, U) for G gates, S steps, N examples and U units. Werbos, 1990.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array
from nncore.passes import Pass
from nncore.timeline import Indices, Timeline


def split_gates(weight: Array, order: Sequence[int]) -> Array:
    """A weight (..., G U) gate by gate, (G, ..., U); `order` says which gate comes where."""
    blocks = weight.reshape(*weight.shape[:-1], len(order), -1)
    return np.ascontiguousarray(np.moveaxis(blocks, -2, 0)[list(order)])


def join_gates(blocks: Array, order: Sequence[int]) -> Array:
    """The weight (..., G U) of which `split_gates` made the blocks."""
    weight = np.empty((*blocks.shape[1:-1], len(order), blocks.shape[-1]), blocks.dtype)
    np.moveaxis(weight, -2, 0)[list(order)] = blocks
    return weight.reshape(*weight.shape[:-2], -1)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the taken steps read: (S, N, I) with a one behind for the bias, after dropout."""

    steps: Array
    factor: Array | None
    bias: bool

    @property
    def matrix(self) -> Array:
        """All steps and examples below each other."""
        return self.steps.reshape(-1, self.steps.shape[-1])

    def project(self, weights: Array, pass_: Pass) -> Array:
        """The projection x W + b, (G, S, N, U), from W with b as its last row, gate by gate."""
        gates, _, units = weights.shape
        z = pass_.buffer("gates", (gates, *self.steps.shape[:2], units), self.steps.dtype)
        np.matmul(self.matrix, weights, out=z.reshape(gates, -1, units))
        return z

    def gradient(self, dz: Array, pass_: Pass) -> Array:
        """dL/dW with dL/db as its last row, gate by gate."""
        return product_over_steps(self.matrix, dz, "dkernel", pass_)

    def slope(self, dz: Array, weights: Array, pass_: Pass) -> Array:
        """dL/dx of the taken steps."""
        steps, examples, width = self.steps.shape
        width -= self.bias
        shape = (steps * examples, width)
        dx = pass_.buffer("dsteps", shape, dz.dtype)
        product = pass_.scratch("product", shape, dz.dtype)
        for gate, slope in enumerate(dz.reshape(len(dz), -1, dz.shape[-1])):
            np.matmul(slope, weights[gate, :width].T, out=product if gate else dx)
            if gate:
                dx += product
        slopes = dx.reshape(steps, examples, width)
        if self.factor is not None:
            slopes *= self.factor
        return slopes


def product_over_steps(left: Array, dz: Array, name: str, pass_: Pass) -> Array:
    """left^T dz summed over steps and examples: (S N, A) and (G, S, N, U) to (G, A, U)."""
    gates, _, _, units = dz.shape
    product = pass_.buffer(name, (gates, left.shape[1], units), dz.dtype)
    return np.matmul(left.T, dz.reshape(gates, -1, units), out=product)


Given = tuple[Array, Array, Array | None, Pass]
"""What every cell is made from, in the order of `Cell`'s arguments."""


class Cell(ABC):
    """One pass of a recurrent formula.

    `z` (G, S, N, U) are the projected inputs, to be overwritten by the gates' activations; `dz` is
    dL/dz. `states`, each (S + 1, N, U), hold what is carried on, before the first step and after
    each; the first of them is the output h. `slopes` (N, U) are dL/d(state) on the way back.
    `factor` (N, U) is what recurrent dropout multiplies h by before the product with R.
    """

    carried: int = 1

    def __init__(self, z: Array, recurrent: Array, factor: Array | None, pass_: Pass) -> None:
        _, steps, examples, units = z.shape
        self.z = z
        self.recurrent = recurrent
        self.factor = factor
        self.pass_ = pass_
        self.states = tuple(
            self.buffer(f"state {number}", steps + 1, examples, units)
            for number in range(self.carried)
        )
        for state in self.states:
            state[0] = 0
        self.h = self.states[0]
        self.recalled = self.h
        if factor is not None:
            self.recalled = self.buffer("recalled", steps, examples, units)
        self.work = self.buffer("work", len(z), examples, units)
        self.spare = self.buffer("spare", examples, units)
        self.dz = z
        self.slopes: tuple[Array, ...] = ()

    def buffer(self, name: str, *shape: int) -> Array:
        """A buffer of this pass."""
        return self.pass_.buffer(name, shape, self.z.dtype)

    @abstractmethod
    def step(self, s: int) -> None:
        """States s + 1 from states s."""

    @abstractmethod
    def step_back(self, s: int) -> None:
        """The slope dz of step s, and in `slopes` dL/d(states s) in place of dL/d(states s + 1)."""

    def gradients(self) -> Array:
        """dL/dR, gate by gate, after all steps back."""
        return product_over_steps(self.memories(), self.dz, "drecurrent", self.pass_)

    def memories(self) -> Array:
        """What R was multiplied with, all steps and examples below each other."""
        _, steps, examples, units = self.z.shape
        return self.recalled[:steps].reshape(steps * examples, units)

    def recall(self, s: int) -> Array:
        """What step s is told of the output before it, after dropout."""
        if self.factor is not None:
            np.multiply(self.h[s], self.factor, out=self.recalled[s])
        told: Array = self.recalled[s]
        return told

    def recall_back(self, dz: Array, out: Array) -> None:
        """What reaches the output before a step through R, into `out`, from dL/dz of the gates."""
        products = self.products[: len(dz)]
        np.matmul(dz, self.transposed[: len(dz)], out=products)
        np.add.reduce(products, axis=0, out=out)
        if self.factor is not None:
            out *= self.factor

    def prepare_back(self) -> None:
        """Buffers for the way back; the last states have no slope yet."""
        _, _, examples, units = self.z.shape
        self.dz = self.buffer("dz", *self.z.shape)
        self.products = self.buffer("products", len(self.z), examples, units)
        self.transposed = np.ascontiguousarray(self.recurrent.swapaxes(1, 2))
        self.slopes = tuple(
            self.buffer(f"slope {number}", examples, units) for number in range(self.carried)
        )
        for slope in self.slopes:
            slope.fill(0)


def unroll(cell: Cell, line: Timeline) -> None:
    """All steps of a cell; an example without data at a step keeps its state."""
    for s, rows in enumerate(line.held):
        cell.step(s)
        if rows is not None:
            for state in cell.states:
                state[s + 1, rows] = state[s, rows]


def unroll_back(cell: Cell, line: Timeline, dy: Array) -> None:
    """All steps backwards, from the slopes of all outputs (N, T, U) or of the last one (N, U)."""
    cell.prepare_back()
    dh, due = cell.slopes[0], line.length - 1
    if dy.ndim == 2:
        due = -1
        np.copyto(dh, dy)
    for s in range(len(line.held) - 1, -1, -1):
        while due >= 0 and line.reached[due] == s + 1:
            dh += dy[:, due]
            due -= 1
        _step_back(cell, s, line.held[s])


def _step_back(cell: Cell, s: int, rows: Indices | None) -> None:
    if rows is None:
        cell.step_back(s)
        return
    kept = [slope[rows] for slope in cell.slopes]
    for slope in cell.slopes:
        slope[rows] = 0
    cell.step_back(s)
    for slope, value in zip(cell.slopes, kept, strict=True):
        slope[rows] = value
