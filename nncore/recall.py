"""The product with the recurrent weights on the way back through time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nncore.arrays import Array
from nncore.blocks import SMALL, in_blocks, in_parts
from nncore.recurrence import Cell


class Recall:
    """The product dz R^T of each step: dz (G, S, N, D), and R (U, D) of each group.

    It is summed over equal parts of D, few enough for small products.
    """

    def __init__(
        self, name: str, recurrent: Sequence[Array], dz: Array, out: Array, cell: Cell
    ) -> None:
        depth = recurrent[0].shape[1]
        width, blocks, row_parts = cell.width, cell.blocks, cell.row_parts
        parts = 1
        while blocks > 1 and cell.examples // row_parts * depth * width > SMALL * parts:
            parts *= 2
        share = depth // parts
        self._weights = cell.buffer(f"{name} weights", cell.groups, 1, parts, blocks, share, width)
        for weights, matrix in zip(self._weights, recurrent, strict=True):
            split = matrix.reshape(blocks, width, parts, share)
            np.copyto(weights[0], split.transpose(2, 0, 3, 1))
        self._out, self._terms = out, out[None]
        if parts > 1:
            self._terms = cell.state_buffer(f"{name} products", parts)
        self._products = in_parts(self._terms, row_parts).transpose(2, 3, 0, 1, 4, 5)
        lefts = in_blocks(in_parts(dz, row_parts), share)
        self._lefts = list(lefts[:, :, :, :, None].swapaxes(0, 1))

    def __call__(self, s: int) -> None:
        np.matmul(self._lefts[s], self._weights, out=self._products)
        if len(self._terms) > 1:
            np.add.reduce(self._terms, axis=0, out=self._out)
