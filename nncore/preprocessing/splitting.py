"""Training, validation and test rows of a dataset, drawn from the seed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
SPLIT_STREAM = 0x73706C74  # "splt": this consumer's own stream of the seed


def split_sizes(n: int, fractions: tuple[float, float]) -> tuple[int, int, int]:
    """How many rows `split_rows` gives to (train, validation, test). Raises ValueError like it."""
    _check(n, fractions)
    test = min(_rounded(n * fractions[1]), n - 1)
    validation = min(_rounded(n * fractions[0]), n - 1 - test)
    return n - validation - test, validation, test


def split_rows(
    n: int,
    fractions: tuple[float, float],
    seed: int,
    stratify: NDArray[Any] | None = None,
) -> tuple[Rows, Rows, Rows]:
    """Sorted, disjoint row indices (train, validation, test) that cover 0..n-1.

    `fractions` are those of validation and test; their sizes are n * fraction, rounded half up,
    and cut so that training keeps a row. `stratify` (n,) of class indices keeps the share of each
    class in every part. Raises ValueError for fractions outside [0, 1) or n < 1.
    """
    _, validation, test = split_sizes(n, fractions)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, SPLIT_STREAM])))
    order = rng.permutation(n)
    if stratify is not None:
        order = order[np.argsort(_quantiles(stratify[order]), kind="stable")]
    parts = order[test + validation :], order[test : test + validation], order[:test]
    train, held_out, last = (np.sort(part).astype(np.int64) for part in parts)
    return train, held_out, last


def _quantiles(classes: NDArray[Any]) -> NDArray[np.float64]:
    """The place of each row within its class, in (0, 1).

    Rows ordered by it hold, in every prefix, each class in proportion to its size.
    """
    _, index, counts = np.unique(classes, return_inverse=True, return_counts=True)
    by_class = np.argsort(index, kind="stable")
    starts = np.cumsum(counts) - counts
    rank = np.empty(len(classes), np.int64)
    rank[by_class] = np.arange(len(classes)) - np.repeat(starts, counts)
    return (rank + 0.5) / counts[index]


def _rounded(size: float) -> int:
    return math.floor(size + 0.5)


def _check(n: int, fractions: tuple[float, float]) -> None:
    if n < 1:
        raise ValueError("there are no rows to split")
    if any(not 0 <= fraction < 1 for fraction in fractions) or sum(fractions) >= 1:
        raise ValueError(
            f"the fractions of validation and test, {fractions[0]} and {fractions[1]}, must each"
            " be at least 0 and together less than 1, so that training keeps some rows"
        )
