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
# The chosen rows as they were given, maybe in double precision, and prepared.
_COPIES_OF_INPUTS = 3
# The chosen targets, likewise, and the loss's terms.
_COPIES_OF_TARGETS = 3
# A step that is recorded to be repeated holds on to buffers that its stages could share.
_RECORDED = 1.25


def memory_bytes(program: Program, batch_size: int) -> int:
    """Bytes that training in float32 takes at most, about; variable sizes count once."""
    inputs = sum(elements(port.shape) for port in program.ports)
    targets = sum(elements(shape) for shape in program.output_shapes)
    ends = _COPIES_OF_INPUTS * inputs + _COPIES_OF_TARGETS * targets
    kept = sum(_stage_bytes(stage, batch_size) for stage in program.stages)
    # Scratch is shared by all stages.
    scratch = max((_scratch_bytes(stage, batch_size) for stage in program.stages), default=0)
    return int(_RECORDED * (_BYTES * batch_size * ends + kept + scratch))


def check_memory(program: Program, layers: Sequence[str], batch_size: int, limit: int) -> None:
    """Raise ArchitectureError at the layer that takes most if training takes more than `limit`."""
    needed = memory_bytes(program, batch_size)
    if needed <= limit:
        return
    shares = dict.fromkeys(layers, 0)
    for stage in program.stages:
        shares[stage.layer] += _stage_bytes(stage, batch_size) + _scratch_bytes(stage, batch_size)
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


def _scratch_bytes(stage: Stage, batch_size: int) -> int:
    return _BYTES * stage.operation.scratch(stage.input_shape, batch_size)


def _readable(count: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < size << 20 else f"{count // size} {unit}"
    return f"{count} bytes"
