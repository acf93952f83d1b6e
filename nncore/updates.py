"""An optimizer's step on all weights as vectors, across the threads of a run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nncore.arrays import Array
from nncore.crew import Crew
from nncore.optimizers import Optimizer
from nncore.optimizers.chunks import stretches
from nncore.optimizers.optimizer import Slots
from nncore.vectors import Layout, runs


class Updates:
    """Moves weights that change in place, where possible many of them as one vector.

    The parts that threads take are those of the layout, so that no result depends on the machine;
    each element's does not depend on the parts either.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        layout: Layout,
        weights: Mapping[str, Array],
        slots: Slots,
        crew: Crew,
    ) -> None:
        self._optimizer, self._crew = optimizer, crew
        self._vector: Array | None = None
        kept = [slot for slot, arrays in slots.items() if layout.places.keys() <= arrays.keys()]
        others = {slot: arrays for slot, arrays in slots.items() if slot not in kept}
        pieces = stretches(layout.size, 1 if others else len(crew))
        self._params: list[dict[str, Array]] = [{} for _ in pieces]
        self._places: list[dict[str, slice]] = [{} for _ in pieces]
        self._slots: list[Slots] = [{slot: {} for slot in kept} | others for _ in pieces]
        for place, (vector, *states) in runs(layout, weights, *(slots[slot] for slot in kept)):
            for part, piece in enumerate(pieces):
                first, last = max(place.start, piece.start), min(place.stop, piece.stop)
                if first >= last:
                    continue
                name, here = str(first), slice(first - place.start, last - place.start)
                self._params[part][name] = vector[here]
                self._places[part][name] = slice(first, last)
                for slot, state in zip(kept, states, strict=True):
                    self._slots[part][slot][name] = state[here]

    def move(self, vector: Array, step: int, rate: float) -> None:
        """Take step number `step` along all gradients, which may be overwritten."""
        if self._vector is not vector:
            self._vector = vector
            self._gradients = [
                {name: vector[place] for name, place in places.items()} for places in self._places
            ]

        def part(place: int) -> None:
            arrays = self._params[place], self._gradients[place], self._slots[place]
            self._optimizer.update(*arrays, step, rate)

        self._crew.run(part, len(self._params))


def flat(layout: Layout, slots: Slots, weights: Mapping[str, Array]) -> Slots:
    """Slots with the same numbers, those of the layout's weights one behind the other."""
    return {slot: _flat(layout, arrays, weights) for slot, arrays in slots.items()}


def _flat(
    layout: Layout, arrays: Mapping[str, Array], weights: Mapping[str, Array]
) -> dict[str, Array]:
    like = [name for name in layout.places if name in arrays]
    kinds = {arrays[name].dtype for name in like}
    fits = all(arrays[name].shape == weights[name].shape for name in like)
    if len(like) < len(layout.places) or len(kinds) != 1 or not fits:
        return dict(arrays)
    views = layout.views(np.empty(layout.size, kinds.pop()))
    for name, view in views.items():
        np.copyto(view, arrays[name])
    return {name: views.get(name, array) for name, array in arrays.items()}
