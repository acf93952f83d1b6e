"""Several batches as one: the gradient that all their examples together would give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nncore.arrays import Params
from nncore.executor import Batch


@dataclass(frozen=True, slots=True)
class Accumulated:
    """The mean loss of some batches and its gradients, each batch weighted by its terms."""

    loss: float
    gradients: Params


def accumulated(batches: Iterator[Batch], count: int) -> Accumulated:
    """So many batches, one after the other. One alone leaves its gradients where they are."""
    if count == 1:
        batch = next(batches)
        return Accumulated(batch.loss, batch.gradients)
    loss, terms = 0.0, 0
    gradients: Params = {}
    for batch in batches:
        here = sum(batch.terms)
        loss += batch.loss * here
        terms += here
        for name, gradient in batch.gradients.items():
            share = gradient * here
            gradients[name] = gradients[name] + share if name in gradients else share
    for gradient in gradients.values():
        gradient /= max(terms, 1)
    return Accumulated(loss / max(terms, 1), gradients)
