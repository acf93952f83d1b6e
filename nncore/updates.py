"""An optimizer's step on all weights, across the threads of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nncore.arrays import Array
from nncore.crew import Crew
from nncore.factors import Expanding, Factors
from nncore.optimizers import Optimizer
from nncore.optimizers.chunks import blocks, stretches
from nncore.optimizers.optimizer import Slots
from nncore.vectors import Layout, runs


class Updates:
    """Moves weights that change in place, where possible many of them as one vector.

    The parts that threads take, and the blocks in which factored gradients are expanded, follow
    from the weights' shapes and the number of shards, so that no result depends on the machine.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        layout: Layout,
        factored: frozenset[str],
        weights: Mapping[str, Array],
        slots: Slots,
        crew: Crew,
    ) -> None:
        self._optimizer, self._crew = optimizer, crew
        names = layout.places.keys() | factored
        kept = [slot for slot, arrays in slots.items() if names <= arrays.keys()]
        others = {slot: arrays for slot, arrays in slots.items() if slot not in kept}
        count = 1 if others else len(crew)
        parts = [_Part(kept, others) for _ in range(count)]
        pieces = stretches(layout.size, count)
        for place, vectors in runs(layout, weights, *(slots[slot] for slot in kept)):
            for part, piece in zip(parts, pieces, strict=False):
                part.take_run(place, piece, vectors)
        for name in sorted(factored):
            arrays = [weights[name], *(slots[slot][name] for slot in kept)]
            for part, rows in zip(parts, blocks(weights[name].shape, count), strict=True):
                part.take_rows(name, rows, arrays)
        self._parts = [part for part in parts if part.params]

    def move(self, vector: Array, factors: Mapping[str, Factors], step: int, rate: float) -> None:
        """Take step number `step` along all gradients, which may be overwritten."""

        def move(place: int) -> None:
            part = self._parts[place]
            gradients = part.gradients(vector, factors)
            self._optimizer.update(part.params, gradients, part.slots, step, rate)

        if self._parts:
            self._crew.run(move, len(self._parts))


class _Part:
    """What one thread moves: vectors, by names that nobody else knows."""

    def __init__(self, kept: Sequence[str], others: Slots) -> None:
        self.params: dict[str, Array] = {}
        self.slots: Slots = {slot: {} for slot in kept} | others
        self._kept = kept
        self._places: dict[str, slice] = {}
        self._blocks: dict[str, tuple[str, slice]] = {}
        self._vector: Array | None = None
        self._pieces: dict[str, Array] = {}
        self._buffer: Array | None = None

    def take_run(self, place: slice, piece: slice, vectors: Sequence[Array]) -> None:
        """What lies in a piece of the layout, of a run at some place in it."""
        first, last = max(place.start, piece.start), min(place.stop, piece.stop)
        if first < last:
            here = slice(first - place.start, last - place.start)
            self._places[str(first)] = slice(first, last)
            self._take(str(first), [vector[here] for vector in vectors])

    def take_rows(self, weight: str, rows: Sequence[slice], arrays: Sequence[Array]) -> None:
        """Blocks of rows of a factored weight."""
        for block in rows:
            name = f"{weight} {block.start}"
            self._blocks[name] = weight, block
            self._take(name, [array[block].reshape(-1) for array in arrays])
            longest = max(self.params[name].size, 0 if self._buffer is None else self._buffer.size)
            self._buffer = np.empty(longest, arrays[0].dtype)

    def _take(self, name: str, vectors: Sequence[Array]) -> None:
        self.params[name] = vectors[0]
        for slot, state in zip(self._kept, vectors[1:], strict=True):
            self.slots[slot][name] = state

    def gradients(self, vector: Array, factors: Mapping[str, Factors]) -> Mapping[str, Array]:
        """Those of `params`."""
        if self._vector is not vector:
            self._vector = vector
            self._pieces = {name: vector[place] for name, place in self._places.items()}
        if self._buffer is None:
            return self._pieces
        return Expanding(self._pieces, self._blocks, factors, self._buffer)
