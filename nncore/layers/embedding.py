"""Vectors of token ids: y = E[x].   x (N, ...) ids, E (V, D), y (N, ..., D).

dE is the sum of dy over the places of each id. With `mask_zero`, id 0 is padding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import AnyArray, Array, Params
from nncore.errors import ArchitectureError
from nncore.initializers.initializer import Initializer
from nncore.initializers.random_uniform import RandomUniform
from nncore.layers.layer import Layer
from nncore.onnx.graph import Graph, Value
from nncore.onnx.masks import joint_mask
from nncore.operation import Weight
from nncore.passes import Mask, Pass
from nncore.registry import register
from nncore.regularizers.regularizer import Regularizer
from nncore.shapes import Positive, Shape, written

Ids = NDArray[np.intp]

_FEW = 6


@register("embedding")
@dataclass(frozen=True, slots=True)
class Embedding(Layer):
    """A trained vector for each of the ids 0 ... input_dim - 1; `mask_zero`: id 0 is padding."""

    input_dim: Positive
    output_dim: Positive
    embeddings_initializer: Initializer = RandomUniform()
    mask_zero: bool = False
    embeddings_regularizer: Regularizer | None = None

    def wants_integers(self) -> bool:
        return True

    def output_shape(self, shape: Shape) -> Shape:
        if self.mask_zero and len(shape) != 1:
            raise ArchitectureError(
                "/mask_zero", f"needs a sequence of ids, shape [steps], got {written(shape)}"
            )
        return (*shape, self.output_dim)

    def weights(self, shape: Shape) -> dict[str, Weight]:
        table = Weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
        )
        return {"embeddings": table}

    def output_mask(self, x: AnyArray, mask: Mask | None) -> Mask | None:
        if not self.mask_zero:
            return mask
        data: Mask = x != 0
        return data if mask is None else data & mask

    def forward(self, params: Params, x: AnyArray, pass_: Pass) -> tuple[Array, Ids]:
        table = params["embeddings"]
        ids = self._ids(x)
        y = pass_.buffer("y", (*x.shape, self.output_dim), table.dtype)
        # The ids are checked already; "clip" spares NumPy a copy.
        np.take(table, ids, axis=0, out=y, mode="clip")
        return y, ids

    def backward(self, params: Params, cache: Ids, dy: Array, pass_: Pass) -> tuple[None, Params]:
        table = params["embeddings"]
        gradient = pass_.gradient("embeddings", table.shape, table.dtype)
        gradient.fill(0)
        sum_by_id(cache.reshape(-1), dy.reshape(-1, self.output_dim), gradient)
        return None, {"embeddings": gradient}

    def to_onnx(self, params: Params, x: Value, graph: Graph) -> str:
        table = graph.weight("embeddings", params["embeddings"])
        return graph.node("Gather", table, self._whole(x, graph))

    def onnx_mask(self, x: Value, graph: Graph) -> Value | None:
        if not self.mask_zero:
            return x.mask
        data = graph.cast(self._whole(x, graph), np.dtype(np.bool_))
        return joint_mask([x.mask, Value(data, x.shape)], graph)

    def _whole(self, x: Value, graph: Graph) -> str:
        return x.name if x.integers else graph.cast(x.name, np.dtype(np.int64))

    def _ids(self, x: AnyArray) -> Ids:
        ids: Ids = x.astype(np.intp)
        if x.dtype.kind == "f" and not np.array_equal(ids, x):
            raise ValueError(f"embedding needs whole numbers as ids, got {x[ids != x].flat[0]}")
        if ids.size and not (ids.min() >= 0 and ids.max() < self.input_dim):
            wrong = ids[(ids < 0) | (ids >= self.input_dim)].flat[0]
            raise ValueError(
                f"embedding got the id {wrong}, but has vectors for 0 ... {self.input_dim - 1}; "
                "raise input_dim or leave the id out"
            )
        return ids


def sum_by_id(ids: Ids, rows: Array, table: Array) -> None:
    """The sum of the rows (M, D) of each id into its place in a table (V, D) of zeros.

    Rows are sorted by id. Ids that occur a few times, most of a large vocabulary, are added up
    together, first all first rows, then all second ones, as `reduceat` takes long for short runs.
    """
    if not len(ids):
        return
    # NumPy sorts small integers by their digits, ten times faster.
    order = np.argsort(ids.astype(np.min_scalar_type(len(table))), kind="stable")
    ordered = ids[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    counts = np.diff(starts, append=len(ids))
    few = counts <= _FEW
    for number in range(min(_FEW, int(counts.max()))):
        places = starts[few & (counts > number)] + number
        table[ordered[places]] += rows[order[places]]
    if not few.all():
        many = counts[~few]
        repeated = rows[order[np.repeat(~few, counts)]]
        firsts = np.cumsum(many) - many
        table[ordered[starts[~few]]] = np.add.reduceat(repeated, firsts, axis=0)
