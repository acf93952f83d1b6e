"""A network as a table to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nncore.errors import few
from nncore.shapes import Shape, elements, written

_HEAD = ("layer", "type", "reads", "output", "parameters", "FLOPs", "bytes")
_BYTES = 4


class Row(Protocol):
    """What the table says of a layer."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def output_shape(self) -> Shape: ...
    @property
    def parameters(self) -> int: ...
    @property
    def flops(self) -> int: ...


def summary(layers: Sequence[Row], parameters: int, memory: int) -> str:
    """One line a layer; FLOPs and bytes of the outputs are those of one example in float32."""
    rows = [_HEAD, *(_row(layer) for layer in layers)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "-" * len(lines[0]))
    flops = sum(layer.flops for layer in layers)
    total = f"{parameters:,} parameters, {flops:,} FLOPs, {memory:,} bytes to train on one example"
    return "\n".join((*lines, total))


def _row(layer: Row) -> tuple[str, ...]:
    return (
        layer.name,
        layer.type,
        few(layer.inputs),
        written(layer.output_shape),
        f"{layer.parameters:,}",
        f"{layer.flops:,}",
        f"{_BYTES * elements(layer.output_shape):,}",
    )


def _line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    words, numbers = row[:4], row[4:]
    cells = [cell.ljust(width) for cell, width in zip(words, widths, strict=False)]
    cells += [cell.rjust(width) for cell, width in zip(numbers, widths[4:], strict=True)]
    return "  ".join(cells).rstrip()
