"""Several batches as one: the gradient that all their examples together would give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from nncore.arrays import Array, Params
from nncore.executor import Batch
from nncore.factors import Factors
from nncore.gradients import square
from nncore.vectors import Layout


@dataclass(frozen=True, slots=True)
class Accumulated:
    """The mean loss of some batches and its gradients, each batch weighted by its terms.

    `gradients` are views of `vector`, whose elements' squares add up to `square`.
    """

    loss: float
    gradients: Params
    vector: Array
    square: float
    factors: dict[str, Factors] = field(default_factory=dict)

    @property
    def levers(self) -> Params:
        """The gradients, as for a batch."""
        return self.gradients


def accumulated(batches: Iterator[Batch], layout: Layout) -> Accumulated:
    """The batches, one after the other; their gradients are laid out like that."""
    loss, terms = 0.0, 0
    vector: Array | None = None
    for batch in batches:
        here = sum(batch.terms)
        loss += batch.loss * here
        terms += here
        vector = np.zeros_like(batch.vector) if vector is None else vector
        vector += batch.vector * here
    assert vector is not None, "there is a batch"
    vector /= max(terms, 1)
    return Accumulated(loss / max(terms, 1), layout.views(vector), vector, square(vector))
