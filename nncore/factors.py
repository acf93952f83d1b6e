"""Gradients of large kernels as the two matrices whose product they are, dW = x^T dy.

With few rows in x and dy the product takes far more memory than they do. Such a gradient is never
written down: an optimizer expands it block by block, into memory that stays in cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array

_LARGE = 1 << 20
_TIMES_SMALLER = 16


@dataclass(frozen=True, slots=True)
class Factors:
    """dW (I, O) = x^T dy, x (R, I), dy (R, O); the rows are examples, or positions of them."""

    x: Array
    dy: Array

    def square(self) -> float:
        """The sum of dW's squares; not finite if an element of dW is not."""
        x, dy = self.x.astype(np.float64), self.dy.astype(np.float64)
        total = float(np.vdot(x @ x.T, dy @ dy.T))
        if math.sqrt(abs(total)) > float(np.finfo(self.dy.dtype).max):
            return math.inf
        return 0.0 if total < 0 else total  # by rounding, where rows cancel out

    def expand(self, rows: slice, buffer: Array) -> Array:
        """Those rows of dW as a vector, in a buffer that is long enough."""
        units = self.dy.shape[1]
        found = buffer[: (rows.stop - rows.start) * units]
        np.matmul(self.x[:, rows].T, self.dy, out=found.reshape(-1, units))
        return found


def worthwhile(shape: Sequence[int], rows: int) -> bool:
    """Whether a kernel (I, O) is large, and its factors of so many rows are small beside it."""
    size = math.prod(shape)
    return size >= _LARGE and size >= _TIMES_SMALLER * rows * sum(shape)


def joined(parts: Sequence[Factors]) -> Factors:
    """The factors of the sum of some gradients."""
    if len(parts) == 1:
        return parts[0]
    return Factors(
        np.concatenate([part.x for part in parts]), np.concatenate([part.dy for part in parts])
    )


class Expanding(Mapping[str, Array]):
    """Gradients by name: vectors, and blocks of rows of factored weights.

    A block is expanded when it is asked for, and lives until the next one is.
    """

    def __init__(
        self,
        vectors: Mapping[str, Array],
        blocks: Mapping[str, tuple[str, slice]],
        factors: Mapping[str, Factors],
        buffer: Array,
    ) -> None:
        self._vectors, self._blocks = vectors, blocks
        self._factors, self._buffer = factors, buffer

    def __getitem__(self, name: str) -> Array:
        if name in self._vectors:
            return self._vectors[name]
        weight, rows = self._blocks[name]
        return self._factors[weight].expand(rows, self._buffer)

    def __iter__(self) -> Iterator[str]:
        yield from self._vectors
        yield from self._blocks

    def __len__(self) -> int:
        return len(self._vectors) + len(self._blocks)
