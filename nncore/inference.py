"""What a network says of examples, batch by batch."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array, Params, dtype_of
from nncore.examples import Examples
from nncore.execution import forward
from nncore.passes import Run
from nncore.program import Program
from nncore.workspace import Workspace


def infer(program: Program, params: Params, examples: Examples, batch_size: int) -> list[Array]:
    """Each output (N, ...) in evaluation mode; an array of its own."""
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    dtype, workspace, count = dtype_of(params, examples.inputs), Workspace(), len(examples)
    found: list[Array] = []
    for start in range(0, max(count, 1), batch_size):
        rows = slice(start, start + batch_size)
        batch = examples.rows(rows).prepared(program.ports, dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            flow = forward(program, params, batch.inputs, Run(workspace))
        parts = [flow.values[output] for output in program.outputs]
        if not found:
            found = [np.empty((count, *part.shape[1:]), part.dtype) for part in parts]
        for whole, part in zip(found, parts, strict=True):
            whole[rows] = part
    return found
