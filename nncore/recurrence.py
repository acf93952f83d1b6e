"""Back-propagation through time, shared by all recurrent layers.

A step reads one row (h, 1, x) for each example, of the output before it and its input, so that one
product with the weights below each other (R; b; W) makes the gates, and one product of all rows
with all slopes dz their gradients. What is left for a step on the way back is the product with R
and factors that the cell works out for several steps at once. Werbos, 1990.

Several ways to read the same inputs, each with weights of its own, take their steps together: G
groups of N examples. Gates and states lie in blocks of w units, (B, G, N, w), each contiguous.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nncore.arrays import Array
from nncore.blocks import in_blocks, in_parts, tiling
from nncore.passes import Pass
from nncore.squashing import Squashing
from nncore.timeline import Indices, Timeline

_CHUNK = 1 << 15
"""Numbers of a state in the steps that are worked out together: they stay in cache."""

Matrices = Sequence[Sequence[Array]]
"""For each group, matrices (K, gates U) that stand below each other."""


def back_to(order: Sequence[int]) -> list[int]:
    """The order that undoes another one."""
    return sorted(range(len(order)), key=order.__getitem__)


class Given(NamedTuple):
    """What every cell is made from.

    `rows` (G, S + 1, N, U + 1 + I): what the steps read, of which the x are filled in. `factor`
    (G, N, U): what recurrent dropout multiplies h by before the product with R.
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
    first of them dL/dh. `dz` (G, S, N, gates U) are the slopes of the gates' sums; `order` says
    which gates of the weights the last of them are. A pass that nobody goes back through uses two
    steps' buffers in turn.
    """

    order: tuple[int, ...]

    def __init__(self, given: Given, mixed: bool) -> None:
        self.rows, self.units, self.factor, self.pass_ = given
        self.groups, after, self.examples, depth = self.rows.shape
        self.steps = after - 1
        # Activations that mix units want all of them in one block.
        depths = (depth, len(self.order) * self.units)
        tiles = (self.units, 1) if mixed else tiling(self.units, self.examples, *depths)
        self.width, self.row_parts = tiles
        self.blocks = self.units // self.width
        size = self.groups * self.examples * self.units
        self.chunk = max(1, min(self.steps, _CHUNK // max(1, size)))
        self.outputs = told = self.rows[..., : self.units]
        told[:, 0] = 0
        if self.factor is not None:
            self.outputs = self.buffer("h", *told.shape)
            self.outputs[:, 0] = 0
            self.masked = self.in_states(self.factor[:, None])[0]
        self.states = self.in_states(self.outputs)
        self.told, self.h = list(self.in_states(told)), list(self.states)
        self.spare = self.state_buffer("spare")
        self.carried: tuple[list[Array], ...] = (self.h,)
        self.slopes: tuple[Array, ...] = ()

    def buffer(self, name: str, *shape: int) -> Array:
        """A buffer of this pass."""
        return self.pass_.buffer(name, shape, self.rows.dtype)

    def state_buffer(self, name: str, *count: int) -> Array:
        """A buffer for so many states of one step."""
        return self.buffer(name, *count, self.blocks, self.groups, self.examples, self.width)

    def store(self, name: str, count: int) -> Array:
        """A buffer for so many states or gates of all steps that must be kept."""
        return self.state_buffer(name, 2 if self.pass_.run.forgetful else self.steps + 1, count)

    def parts(self, store: Array, at: int | slice) -> list[Array]:
        """A state or gate of a store, or several (states, ...), step by step."""
        return self._in_turn(store[:, at])

    def _in_turn(self, store: Array) -> list[Array]:
        kept: list[Array] = list(store)
        times: int = -(-(self.steps + 1) // len(kept))
        return (kept * times)[: self.steps + 1]

    def in_states(self, array: Array) -> Array:
        """(G, S, N, U) as states, (S, B, G, N, w); (G, S, N, gates U) as (S, gates, ...)."""
        blocks = in_blocks(array, self.width).transpose(1, 2, 0, 3, 4)
        if blocks.shape[1] == self.blocks:
            return blocks
        shape = (len(blocks), blocks.shape[1] // self.blocks, self.blocks, *blocks.shape[2:])
        return blocks.reshape(shape, copy=False)

    def as_lefts(self, rows: Array) -> Array:
        """Rows (G, S, N, K) as left sides of products, (S, G, parts, 1, N / parts, K)."""
        return in_parts(rows, self.row_parts)[:, :, :, None].swapaxes(0, 1)

    def as_results(self, states: Array) -> Array:
        """States (S, ..., G, N, w) as results of such products, (S, G, parts, B, N / parts, w)."""
        count = math.prod(states.shape[1:-3])
        flat = states.reshape(len(states), count, *states.shape[-3:], copy=False)
        return in_parts(flat, self.row_parts).transpose(0, 2, 3, 1, 4, 5)

    def lefts(self, rows: Array) -> list[Array]:
        """The steps of (G, S, N, K) as left sides of products."""
        lefts: list[Array] = list(self.as_lefts(rows))
        return lefts

    def results(self, store: Array) -> list[Array]:
        """The steps of a store's states as results of products."""
        return self._in_turn(self.as_results(store))

    def weights(self, name: str, matrices: Matrices, gates: dict[int, Squashing]) -> Array:
        """These gates of the matrices in blocks, as right sides of products, (G, 1, B, K, w)."""
        depth = sum(map(len, matrices[0]))
        out = self.buffer(name, self.groups, len(gates), self.blocks, depth, self.width)
        for whole, stacked in zip(out, matrices, strict=True):
            start = 0
            for matrix in stacked:
                end = start + len(matrix)
                split = matrix.reshape(len(matrix), -1, self.blocks, self.width)
                for place, (gate, squashing) in zip(whole, gates.items(), strict=True):
                    columns = split[:, gate].swapaxes(0, 1)
                    np.multiply(columns, squashing.scale, out=place[:, start:end])
                start = end
        return out.reshape(self.groups, 1, -1, depth, self.width)

    @abstractmethod
    def step(self, s: int) -> None:
        """States s + 1 from states s."""

    def tell(self, s: int) -> None:
        """Let the next step read the output of step s."""
        if self.factor is not None:
            np.multiply(self.h[s + 1], self.masked, out=self.told[s + 1])

    def prepare_back(self, gates: int, states: int) -> None:
        """Buffers for the way back through so many gates; the last states have no slope yet."""
        self.dz = self.buffer("dz", self.groups, self.steps, self.examples, gates * self.units)
        self.slopes = tuple(self.state_buffer(f"slope {number}") for number in range(states))
        for slope in self.slopes:
            slope.fill(0)

    def dz_of(self, first: int, end: int) -> Array:
        """The slopes of the gates `first` to `end`, (G, S, N, ...)."""
        return self.dz[..., first * self.units : end * self.units]

    def dz_parts(self, first: int, end: int) -> list[Array]:
        """Those of each step in blocks: a state, or (gates, ...)."""
        parts: list[Array] = list(self.in_states(self.dz_of(first, end)))
        return parts

    def factors(self, name: str, count: int) -> Array:
        """A buffer for factors of so many gates in a chunk of steps, (steps, gates, ...)."""
        return self.state_buffer(name, self.chunk, count)

    @abstractmethod
    def start_back(self, recurrent: Sequence[Array]) -> None:
        """Prepare the way back, with the weights R (U, gates U) of each group."""

    @abstractmethod
    def differentiate(self, first: int, end: int) -> None:
        """Work out the factors of a chunk of steps."""

    @abstractmethod
    def step_back(self, s: int, place: int) -> None:
        """The slopes of step s, at that place of its chunk: dz, and dL/d(states s)."""

    def told_back(self, dh: Array) -> None:
        """From the slope of what a step is told to that of the output before it."""
        if self.factor is not None:
            dh *= self.masked

    def product(self, name: str, group: int, rows: slice, dz: Array) -> Array:
        """These columns of a group's rows, transposed, times slopes dz (G, S, N, C)."""
        count, width = self.steps * self.examples, dz.shape[-1]
        left = self.rows[group, :-1].reshape(count, self.rows.shape[-1])[:, rows]
        out = self.buffer(f"{name} {group}", left.shape[1], width)
        return np.matmul(left.T, dz[group].reshape(count, width, copy=False), out=out)

    def ordered(self, name: str, matrix: Array, order: Sequence[int]) -> Array:
        """A matrix (K, gates U) with its gates in another order, the first that of order[0]."""
        if list(order) == list(range(matrix.shape[1] // self.units)):
            return matrix
        out = self.buffer(name, *matrix.shape)
        shape = (len(matrix), len(order), self.units)
        np.take(matrix.reshape(shape), order, axis=1, out=out.reshape(shape), mode="clip")
        return out

    def all_ordered(
        self, name: str, matrices: Sequence[Array], order: Sequence[int]
    ) -> list[Array]:
        """One such matrix of each group."""
        return [
            self.ordered(f"{name} {group}", matrix, order) for group, matrix in enumerate(matrices)
        ]

    def gradients(self, group: int) -> Gradients:
        """The gradients of all weights of a group, after all steps back."""
        joint = self.product("joint", group, slice(None), self.dz)
        joint = self.ordered(f"gradients {group}", joint, back_to(self.order))
        return Gradients(joint[: self.units], joint[self.units], joint[self.units + 1 :])

    def input_slopes(self, group: int, kernel: Array) -> Array:
        """dL/dx (S, N, I) of a group's steps, from its W (I, gates U)."""
        kernel = self.ordered("kernel", kernel, self.order)
        count, width = self.steps * self.examples, kernel.shape[1]
        dz = self.dz[group, ..., -width:].reshape(count, width, copy=False)
        dx = self.buffer(f"dsteps {group}", count, len(kernel))
        np.matmul(dz, kernel.T, out=dx)
        return dx.reshape(self.steps, self.examples, len(kernel))


def unroll(cell: Cell, lines: Sequence[Timeline]) -> None:
    """All steps of a cell; an example without data at a step keeps its state."""
    for s in range(cell.steps):
        cell.step(s)
        for group, line in enumerate(lines):
            if (idle := line.held[s]) is not None:
                for state in cell.carried:
                    state[s + 1][:, group, idle] = state[s][:, group, idle]
        cell.tell(s)


class _Due:
    """What a group's outputs add to dL/dh, from dL/dy: (N, T, U) of all, (N, U) of the last."""

    def __init__(self, cell: Cell, group: int, line: Timeline, dy: Array) -> None:
        self._reached, self._next = line.reached, line.length - 1
        self._dh = cell.slopes[0][:, group]
        if dy.ndim == 2:
            self._next = -1
            np.copyto(self._dh, in_blocks(dy, cell.width))
        else:
            self._slopes = list(in_blocks(dy.swapaxes(0, 1), cell.width))

    def add(self, s: int) -> None:
        """Those that are due after step s."""
        while self._next >= 0 and self._reached[self._next] == s + 1:
            self._dh += self._slopes[self._next]
            self._next -= 1


def unroll_back(cell: Cell, lines: Sequence[Timeline], slopes: Sequence[Array]) -> None:
    """All steps backwards, from dL/dy of each group's outputs."""
    dues = [
        _Due(cell, group, line, dy)
        for group, (line, dy) in enumerate(zip(lines, slopes, strict=True))
    ]
    for end in range(cell.steps, 0, -cell.chunk):
        first = max(0, end - cell.chunk)
        cell.differentiate(first, end)
        for s in range(end - 1, first - 1, -1):
            for due in dues:
                due.add(s)
            _step_back(cell, s, s - first, lines)


def _step_back(cell: Cell, s: int, place: int, lines: Sequence[Timeline]) -> None:
    kept: list[tuple[Array, Indices, Array]] = []
    for group, line in enumerate(lines):
        if (idle := line.held[s]) is not None:
            of_group = [slope[:, group] for slope in cell.slopes]
            kept += [(slope, idle, slope[:, idle]) for slope in of_group]
    for slope, idle, _ in kept:
        slope[:, idle] = 0
    cell.step_back(s, place)
    for slope, idle, value in kept:
        slope[:, idle] = value
