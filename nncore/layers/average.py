"""Mean of K inputs: y = (x_1 + ... + x_K) / K, dx_k = dy / K.   All (N, ...), broadcast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import ClassVar

import numpy as np

from nncore.arrays import Array, Params
from nncore.merging import Arrays, Elementwise
from nncore.onnx.graph import Graph, Value
from nncore.registry import register


@register("average")
@dataclass(frozen=True, slots=True)
class Average(Elementwise):
    """Mean of two or more inputs."""

    operator: ClassVar[str] = "Add"

    def join(self, xs: Arrays, y: Array) -> None:
        np.add(xs[0], xs[1], out=y)
        for x in xs[2:]:
            y += x
        y /= len(xs)

    def slopes(self, xs: Arrays, y: Array, dy: Array) -> Iterator[Array]:
        dy /= len(xs)
        return repeat(dy, len(xs))

    def to_onnx(self, params: Params, x: tuple[Value, ...], graph: Graph) -> str:
        total = Elementwise.to_onnx(self, params, x, graph)
        return graph.node("Div", total, graph.number(len(x)))
