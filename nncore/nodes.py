"""The layers of a network as a plan shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nncore.plan import NetworkSpec
from nncore.program import Program, Stage
from nncore.shapes import Shape
from nncore.wiring import Wiring, name_of


@dataclass(frozen=True, slots=True)
class Node:
    """One layer; flops are those of a forward pass for one example.

    `input_shape` is that of the first of its `inputs`. Weights that it shares with another layer
    are not among its parameters.
    """

    name: str
    type: str
    input_shape: Shape
    output_shape: Shape
    parameters: int
    flops: int
    inputs: tuple[str, ...] = ()
    input_shapes: tuple[Shape, ...] = ()


def nodes(spec: NetworkSpec, wiring: Wiring, program: Program) -> tuple[Node, ...]:
    """The layers in the document's order."""
    stages: dict[str, list[Stage]] = {}
    for stage in program.stages:
        stages.setdefault(stage.layer, []).append(stage)
    return tuple(
        _node(layer.type_name, stages[name_of(layer)], reads)
        for layer, reads in zip(spec.layers, wiring.reads, strict=True)
    )


def _node(type_name: str, stages: Sequence[Stage], reads: tuple[str, ...]) -> Node:
    first, last = stages[0], stages[-1]
    shapes = first.input_shape if first.operation.many else (first.input_shape,)
    weights = (
        weight
        for stage in stages
        if stage.owner == stage.layer
        for weight in stage.weights.values()
    )
    return Node(
        first.layer,
        type_name,
        shapes[0],
        last.output_shape,
        sum(math.prod(weight.shape) for weight in weights),
        sum(stage.operation.flops(stage.input_shape) for stage in stages),
        reads,
        shapes,
    )
