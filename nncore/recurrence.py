"""Back-propagation through time, shared by all recurrent layers.

A step reads one row (h, 1, x) for each example, of the output before it and its input, so that one
product with the weights below each other (R; b; W) makes the gates, and one product of all rows
with all slopes dz their gradients. What is left for a step on the way back is the product with R
and factors that the cell works out for several steps at once. Werbos, 1990.

Gates and states lie in blocks of w units, (B, N, w): each is contiguous, and OpenBLAS takes kernels
for the products that need no copies of the matrices, 1.3 to 2 times faster at 32 examples.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nncore.arrays import Array
from nncore.passes import Pass
from nncore.squashing import Squashing
from nncore.timeline import Indices, Timeline

_SMALL = 1_000_000
"""Multiplications up to which OpenBLAS works on the matrices where they are."""

_CHUNK = 1 << 15
"""Numbers of a state in the steps whose slopes are worked out together: they stay in cache."""


def block_width(units: int, examples: int, depth: int, depth_back: int) -> int:
    """How many units make a block: products of (N, depth), on the way back better in one part."""
    for width, deepest in ((64, max(depth, depth_back)), (32, depth)):
        if units % width == 0 and examples * deepest * width <= _SMALL:
            return width
    return units


def in_blocks(array: Array, width: int) -> Array:
    """(..., N, C) as a view (..., C / width, N, width)."""
    shape = (*array.shape[:-1], array.shape[-1] // width, width)
    split = array.reshape(shape, copy=False)
    return split.swapaxes(-2, -3)


def back_to(order: Sequence[int]) -> list[int]:
    """The order that undoes another one."""
    return sorted(range(len(order)), key=order.__getitem__)


class Given(NamedTuple):
    """What every cell is made from.

    `rows` (S + 1, N, U + 1 + I): what the steps read, of which the x are filled in. `factor`
    (N, U): what recurrent dropout multiplies h by before the product with R.
    """

    rows: Array
    units: int
    factor: Array | None
    pass_: Pass


class Gradients(NamedTuple):
    """dL/dR, dL/db and dL/dW."""

    recurrent: Array
    bias: Array
    kernel: Array


class Cell(ABC):
    """One pass of a recurrent formula.

    Attributes that are lists have an item a step, those of states one more. `h` are the outputs,
    `carried` all states that go on to the next step; `slopes` dL/d(state) on the way back, the
    first of them dL/dh. `dz` (S, N, G U) are the slopes of the gates' sums; `order` says which
    gates of the weights they are. A pass that nobody goes back through uses two steps' buffers in
    turn.
    """

    order: tuple[int, ...]

    def __init__(self, given: Given, mixed: bool) -> None:
        self.rows, self.units, self.factor, self.pass_ = given
        self.steps, self.examples = len(self.rows) - 1, self.rows.shape[1]
        # Activations that mix units want all of them in one block.
        depths = (self.rows.shape[2], len(self.order) * self.units)
        self.width = self.units if mixed else block_width(self.units, self.examples, *depths)
        self.blocks = self.units // self.width
        told = self.rows[..., : self.units]
        told[0] = 0
        self.outputs = told
        if self.factor is not None:
            self.outputs = self.buffer("h", *told.shape)
            self.outputs[0] = 0
            self.masked = in_blocks(self.factor, self.width)
        self.row = list(self.rows)
        self.told = list(in_blocks(told, self.width))
        self.h = list(in_blocks(self.outputs, self.width))
        self.spare = self.state_buffer("spare")
        self.carried: tuple[list[Array], ...] = (self.h,)
        self.slopes: tuple[Array, ...] = ()

    def buffer(self, name: str, *shape: int) -> Array:
        """A buffer of this pass."""
        return self.pass_.buffer(name, shape, self.rows.dtype)

    def state_buffer(self, name: str, count: int = 1) -> Array:
        """A buffer for so many states of one step."""
        return self.buffer(name, count * self.blocks, self.examples, self.width)

    def store(self, name: str, count: int) -> Array:
        """A buffer for so many states or gates of all steps that must be kept, (S + 1, ...)."""
        kept = 2 if self.pass_.run.forgetful else self.steps + 1
        return self.buffer(name, kept, count * self.blocks, self.examples, self.width)

    def parts(self, store: Array, first: int, end: int) -> list[Array]:
        """The states or gates `first` to `end` of a store, step by step."""
        part = store[:, first * self.blocks : end * self.blocks]
        return (list(part) * -(-(self.steps + 1) // len(part)))[: self.steps + 1]

    def weights(self, name: str, matrices: Sequence[Array], gates: dict[int, Squashing]) -> Array:
        """These gates of matrices (K, G U), taken as one below the other, in blocks (B, K, w)."""
        depth = sum(map(len, matrices))
        out = self.buffer(name, len(gates), self.blocks, depth, self.width)
        start = 0
        for matrix in matrices:
            end = start + len(matrix)
            split = matrix.reshape(len(matrix), -1, self.blocks, self.width)
            for place, (gate, squashing) in zip(out, gates.items(), strict=True):
                columns = split[:, gate].swapaxes(0, 1)
                np.multiply(columns, squashing.scale, out=place[:, start:end])
            start = end
        return out.reshape(-1, depth, self.width)

    @abstractmethod
    def step(self, s: int) -> None:
        """States s + 1 from states s."""

    def tell(self, s: int) -> None:
        """Let the next step read the output of step s."""
        if self.factor is not None:
            np.multiply(self.h[s + 1], self.masked, out=self.told[s + 1])

    def prepare_back(self, gates: int, states: int) -> None:
        """Buffers for the way back through so many gates; the last states have no slope yet."""
        self.dz = self.buffer("dz", self.steps, self.examples, gates * self.units)
        self.dz_rows = list(self.dz)
        self.chunk = max(1, min(self.steps, _CHUNK // max(1, self.examples * self.units)))
        self.slopes = tuple(self.state_buffer(f"slope {number}") for number in range(states))
        for slope in self.slopes:
            slope.fill(0)

    def dz_parts(self, first: int, end: int) -> list[Array]:
        """The slopes of the gates `first` to `end`, step by step: a state or (gates, state)."""
        part = in_blocks(self.dz[..., first * self.units : end * self.units], self.width)
        if end - first == 1:
            return list(part)
        split = (self.steps, end - first, self.blocks, self.examples, self.width)
        return list(part.reshape(split, copy=False))

    def factors(self, name: str, count: int) -> Array:
        """A buffer for factors of so many gates in a chunk of steps, each (gates, state)."""
        return self.buffer(name, self.chunk, count, self.blocks, self.examples, self.width)

    def split(self, store: Array, first: int, end: int) -> Array:
        """These steps of a store, gate by gate: (gates, steps, state)."""
        gates = store.shape[1] // self.blocks
        shape = (end - first, gates, self.blocks, self.examples, self.width)
        return store[first:end].reshape(shape).swapaxes(0, 1)

    @abstractmethod
    def start_back(self, recurrent: Array) -> None:
        """Prepare the way back, with the weights R (U, G U)."""

    @abstractmethod
    def differentiate(self, first: int, end: int) -> None:
        """Work out the factors of a chunk of steps."""

    @abstractmethod
    def step_back(self, s: int, place: int) -> None:
        """The slopes dz of step s, at that place of its chunk, and dL/d(states s) from the next."""

    def recall_back(self, recall: Recall, dz: Array, out: Array) -> None:
        """What reaches the output before a step through R, from the slopes dz of the gates."""
        recall(dz, out)
        if self.factor is not None:
            out *= self.masked

    def product(self, name: str, rows: slice, dz: Array) -> Array:
        """These columns of the rows, transposed, times slopes dz (S, N, C)."""
        count, width = self.steps * self.examples, dz.shape[-1]
        left = self.rows[:-1].reshape(count, self.rows.shape[-1])[:, rows]
        out = self.buffer(name, left.shape[1], width)
        return np.matmul(left.T, dz.reshape(count, width, copy=False), out=out)

    def ordered(self, name: str, matrix: Array, order: Sequence[int]) -> Array:
        """A matrix (K, G U) with its gates in another order: the first is that of order[0]."""
        if list(order) == list(range(len(order))):
            return matrix
        out = self.buffer(name, *matrix.shape)
        shape = (len(matrix), len(order), self.units)
        np.take(matrix.reshape(shape), order, axis=1, out=out.reshape(shape), mode="clip")
        return out

    def gradients(self) -> Gradients:
        """The gradients of all weights, after all steps back."""
        joint = self.product("joint", slice(None), self.dz)
        joint = self.ordered("gradients", joint, back_to(self.order))
        return Gradients(joint[: self.units], joint[self.units], joint[self.units + 1 :])

    def input_slopes(self, kernel: Array) -> Array:
        """dL/dx (S, N, I) of all steps, from W (I, G U)."""
        kernel = self.ordered("kernel", kernel, self.order)
        count, width = self.steps * self.examples, kernel.shape[1]
        dz = self.dz[..., -width:].reshape(count, width, copy=False)
        dx = self.buffer("dsteps", count, len(kernel))
        np.matmul(dz, kernel.T, out=dx)
        return dx.reshape(self.steps, self.examples, len(kernel))


class Recall:
    """The product dz R^T of a step, dz (N, D) and R (U, D), in blocks of units.

    It is summed over equal parts of D, few enough for small products.
    """

    def __init__(self, name: str, recurrent: Array, cell: Cell) -> None:
        depth = recurrent.shape[1]
        width, examples, blocks = cell.width, cell.examples, cell.blocks
        self._parts = 1
        while blocks > 1 and examples * depth * width > _SMALL * self._parts:
            self._parts *= 2
        share = depth // self._parts
        self._weights = cell.buffer(f"{name} weights", self._parts, blocks, share, width)
        split = recurrent.reshape(blocks, width, self._parts, share)
        np.copyto(self._weights, split.transpose(2, 0, 3, 1))
        self._products = cell.buffer(f"{name} products", self._parts, blocks, examples, width)

    def __call__(self, dz: Array, out: Array) -> None:
        if self._parts == 1:
            np.matmul(dz, self._weights[0], out=out)
            return
        split = in_blocks(dz, dz.shape[1] // self._parts)[:, None]
        np.matmul(split, self._weights, out=self._products)
        np.add.reduce(self._products, axis=0, out=out)


def unroll(cell: Cell, line: Timeline) -> None:
    """All steps of a cell; an example without data at a step keeps its state."""
    for s, idle in enumerate(line.held):
        cell.step(s)
        if idle is not None:
            for state in cell.carried:
                state[s + 1][:, idle] = state[s][:, idle]
        cell.tell(s)


def unroll_back(cell: Cell, line: Timeline, dy: Array) -> None:
    """All steps backwards, from the slopes of all outputs (N, T, U) or of the last one (N, U)."""
    dh, due = cell.slopes[0], line.length - 1
    if dy.ndim == 2:
        due = -1
        np.copyto(dh, in_blocks(dy, cell.width))
    else:
        dues = list(in_blocks(dy.swapaxes(0, 1), cell.width))
    for end in range(len(line.held), 0, -cell.chunk):
        first = max(0, end - cell.chunk)
        cell.differentiate(first, end)
        for s in range(end - 1, first - 1, -1):
            while due >= 0 and line.reached[due] == s + 1:
                dh += dues[due]
                due -= 1
            _step_back(cell, s, s - first, line.held[s])


def _step_back(cell: Cell, s: int, place: int, idle: Indices | None) -> None:
    if idle is None:
        cell.step_back(s, place)
        return
    kept = [slope[:, idle] for slope in cell.slopes]
    for slope in cell.slopes:
        slope[:, idle] = 0
    cell.step_back(s, place)
    for slope, value in zip(cell.slopes, kept, strict=True):
        slope[:, idle] = value
