"""Masks in ONNX: tensors (N, T) of booleans, true where there is data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from nncore.onnx.graph import Graph, Value
from nncore.shapes import Shape


def may_fit(mask: Value, shape: Shape) -> bool:
    """Whether a mask is one of the positions of that shape; sizes that vary are taken to agree."""
    return bool(shape) and (None in (mask.shape[0], shape[0]) or mask.shape[0] == shape[0])


def joint_mask(masks: Sequence[Value | None], graph: Graph) -> Value | None:
    """Positions that hold data in each of those that have the first one's length; None: all do."""
    given = [mask for mask in masks if mask is not None]
    same = [mask for mask in given if may_fit(mask, given[0].shape)]
    if not same:
        return None
    name = reduce(lambda one, other: graph.node("And", one, other), (mask.name for mask in same))
    return Value(name, same[0].shape)


def full_mask(x: Value, graph: Graph) -> Value:
    """A mask of x (N, T, ...) that is true everywhere."""
    true = graph.cast(graph.integers(1), np.dtype(np.bool_))
    return Value(graph.node("Expand", true, graph.sizes(x.name, 0, 2)), x.shape[:1])
