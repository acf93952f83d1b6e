"""The messages of an ONNX file, with the numbers that their fields have in onnx.proto."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import AnyArray
from nncore.onnx import protobuf
from nncore.onnx.protobuf import Message, data, integer, joined, message, real, text

OPSET = 26
"""The newest set of operators that ONNX Runtime 1.31 takes."""

IR_VERSION = 13
"""The version of the file format that belongs to it."""

LARGEST = (1 << 31) - 1
"""Bytes that a Protocol Buffers message may have."""

_TYPES = {"float32": 1, "int32": 6, "int64": 7, "bool": 9, "float64": 11}

Size = int | str | None
"""One size of a tensor: known, variable under a name, or unknown."""


@dataclass(frozen=True, slots=True)
class Body:
    """A graph inside of a graph: what a Scan does at each step."""

    graph: Message
    reads: frozenset[str]


Attribute = int | float | str | Sequence[int] | Sequence[str] | Body


@dataclass(frozen=True, slots=True)
class Node:
    """One operator in its place; an input that is left out is called ""."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Attribute]

    @property
    def reads(self) -> set[str]:
        """All values that it needs."""
        bodies = [value for value in self.attributes.values() if isinstance(value, Body)]
        return set(self.inputs).union(*(body.reads for body in bodies))

    def message(self) -> Message:
        """The NodeProto."""
        return joined(
            [
                *(text(1, name) for name in self.inputs),
                *(text(2, name) for name in self.outputs),
                text(3, self.outputs[0]),
                text(4, self.operator),
                *(message(5, _attribute(*item)) for item in self.attributes.items()),
            ]
        )


def type_of(dtype: np.dtype[Any]) -> int:
    """The number of an element type."""
    return _TYPES[dtype.name]


def tensor(name: str, array: AnyArray) -> Message:
    """The TensorProto of an array, whose bytes are not copied."""
    sizes: tuple[int, ...] = array.shape
    flat = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1)
    return joined(
        [
            *(integer(1, size) for size in sizes),
            integer(2, type_of(array.dtype)),
            text(8, name),
            data(9, flat.view(np.uint8).data),
        ]
    )


def value_info(name: str, dtype: np.dtype[Any], sizes: Sequence[Size] | None) -> Message:
    """The ValueInfoProto of an input or output; sizes None: not even their number is told."""
    fields = [integer(1, type_of(dtype))]
    if sizes is not None:
        fields.append(message(2, *(message(1, _dimension(size)) for size in sizes)))
    return joined([text(1, name), message(2, message(1, *fields))])


def graph(
    name: str,
    nodes: Sequence[Node],
    tensors: Sequence[Message],
    inputs: Sequence[Message],
    outputs: Sequence[Message],
) -> Message:
    """The GraphProto; nodes stand after those that they read."""
    return joined(
        [
            *(message(1, node.message()) for node in nodes),
            text(2, name),
            *(message(5, one) for one in tensors),
            *(message(11, one) for one in inputs),
            *(message(12, one) for one in outputs),
        ]
    )


def model(body: Message) -> bytes:
    """The file of a graph. Raises ValueError if it were too large for the format."""
    head = [integer(1, IR_VERSION), text(2, "nncore"), message(8, integer(2, OPSET))]
    whole = joined([*head, message(7, body)])
    if (length := protobuf.size(whole)) > LARGEST:
        raise ValueError(
            f"the model takes {length} bytes, but an ONNX file holds at most {LARGEST}; "
            "use a smaller network, or its weights in float32"
        )
    return b"".join(whole)


def _dimension(size: Size) -> Message:
    if size is None:
        return []
    return integer(1, size) if isinstance(size, int) else text(2, size)


def _attribute(name: str, value: Attribute) -> Message:
    if isinstance(value, Body):
        return joined([text(1, name), message(6, value.graph), integer(20, 5)])
    if isinstance(value, float):
        return joined([text(1, name), real(2, value), integer(20, 1)])
    if isinstance(value, int):
        return joined([text(1, name), integer(3, value), integer(20, 2)])
    if isinstance(value, str):
        return joined([text(1, name), text(4, value), integer(20, 3)])
    strings = [item for item in value if isinstance(item, str)]
    items = [text(9, item) for item in strings] or [
        integer(8, item) for item in value if isinstance(item, int)
    ]
    return joined([text(1, name), *items, integer(20, 8 if strings else 7)])
