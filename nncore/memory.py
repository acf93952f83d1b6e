"""How many bytes training takes, known before anything is allocated."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nncore.errors import ArchitectureError
from nncore.program import Program, Stage
from nncore.shapes import elements

_BYTES = 4
# Weight, a gradient of each of two shards, two running means of the optimizer, and the best epoch's
# copy.
_COPIES_IN_TRAINING = 6


def memory_bytes(program: Program, batch_size: int) -> int:
    """Bytes that training in float32 takes at most, about; variable sizes count once."""
    inputs = sum(elements(port.shape) for port in program.ports)
    return _BYTES * batch_size * inputs + sum(
        _stage_bytes(stage, batch_size) for stage in program.stages
    )


def check_memory(program: Program, layers: Sequence[str], batch_size: int, limit: int) -> None:
    """Raise ArchitectureError at the layer that takes most if training takes more than `limit`."""
    needed = memory_bytes(program, batch_size)
    if needed <= limit:
        return
    shares = dict.fromkeys(layers, 0)
    for stage in program.stages:
        shares[stage.layer] += _stage_bytes(stage, batch_size)
    largest = max(shares, key=lambda name: shares[name])
    raise ArchitectureError(
        f"/layers/{layers.index(largest)}",
        f"training in batches of {batch_size} would take about {_readable(needed)}, more than the "
        f'limit of {_readable(limit)}; "{largest}" takes {_readable(shares[largest])} of it: make '
        "it smaller, or the batches",
    )


def _stage_bytes(stage: Stage, batch_size: int) -> int:
    weights = 0
    if stage.owner == stage.layer:
        weights = sum(math.prod(weight.shape) for weight in stage.weights.values())
    values = 2 * elements(stage.output_shape) + stage.operation.kept(stage.input_shape)
    return _BYTES * (_COPIES_IN_TRAINING * weights + batch_size * values)


def _readable(count: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < size << 20 else f"{count // size} {unit}"
    return f"{count} bytes"
