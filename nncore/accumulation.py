"""Several batches as one: the gradient that all their examples together would give.

With one output, a batch's mean counts by its terms. With several, whose terms may be divided among
the batches differently (masks, positions left out), each output's share is needed before: a batch
b then minimises B sum over outputs o of w_o (terms_bo / sum over b of terms_bo) mean_bo, for B
batches, and the plain mean over the batches is exact. Only what looks at a whole batch, as
batch_norm does, sees each batch by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nncore.arrays import Array, Params
from nncore.errors import ConfigError
from nncore.examples import Examples, Rows
from nncore.executor import Batch, Executor
from nncore.gradients import square
from nncore.losses import Loss
from nncore.vectors import Layout


@dataclass(frozen=True, slots=True)
class Accumulated:
    """The mean loss of some batches and its gradients.

    `gradients` are views of `vector`, whose elements' squares add up to `square`.
    """

    loss: float
    gradients: Params
    vector: Array
    square: float


def accumulated(batches: Iterator[Batch], layout: Layout) -> Accumulated:
    """The batches, one after the other; their gradients are laid out like that."""
    loss, terms = 0.0, 0
    vector: Array | None = None
    for batch in batches:
        here = batch.terms[0] if len(batch.terms) == 1 else 1
        loss += batch.loss * here
        terms += here
        vector = np.zeros_like(batch.vector) if vector is None else vector
        vector += batch.vector * here
    assert vector is not None, "there is a batch"
    vector /= max(terms, 1)
    return Accumulated(loss / max(terms, 1), layout.views(vector), vector, square(vector))


def check_accumulation(steps: int, losses: Sequence[Loss]) -> None:
    """Raise ConfigError for losses whose value over several batches needs all of them at once."""
    if steps == 1:
        return
    for loss in losses:
        if loss.has_outer:
            raise ConfigError(
                "/accumulate_steps",
                f"cannot be exact with {loss.type_name}, which is no mean over batches; "
                "use mean_squared_error, or a larger batch_size",
            )


def weighted(
    executor: Executor,
    params: Params,
    batches: Sequence[Rows],
    prepared: Callable[[Rows], Examples],
    run: Callable[[Rows], Batch],
) -> Iterator[Batch]:
    """Run the batches of a step, each with its objective.

    With several outputs and a mask all batches are looked at before, in evaluation mode.
    """
    whole = executor.objective
    if len(batches) == 1 or len(whole.losses) == 1:
        yield from map(run, batches)
        return
    terms = np.array([_terms(executor, params, prepared(rows)) for rows in batches], float)
    shares = len(batches) * terms / np.maximum(terms.sum(axis=0), 1)
    try:
        for rows, row in zip(batches, shares, strict=True):
            executor.aim(replace(whole, weights=tuple(map(float, row * whole.weights))))
            yield run(rows)
    finally:
        executor.aim(whole)


def _terms(executor: Executor, params: Params, batch: Examples) -> list[int]:
    """The terms of each output."""
    losses = executor.objective.losses
    sample = executor.infer(params, batch.rows(slice(0, 1)))
    if all(mask is None for part in sample for mask in part.masks):
        return [loss.terms(y) for loss, y in zip(losses, batch.targets, strict=True)]
    parts = executor.infer(params, batch)
    return [
        sum(loss.terms(part.examples.targets[index], part.masks[index]) for part in parts)
        for index, loss in enumerate(losses)
    ]
