"""The wire format of Protocol Buffers: a message is its fields, each a tag and a value.

A message is kept in parts, so that large weights are copied only once, when a file is written.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

Part = bytes | memoryview
Message = list[Part]

_VARINT, _LENGTH, _FIXED32 = 0, 2, 5


def integer(field: int, value: int) -> Message:
    """An integer or the number of an enumeration."""
    return [_tag(field, _VARINT) + _varint(value)]


def real(field: int, value: float) -> Message:
    """A `float`."""
    return [_tag(field, _FIXED32) + struct.pack("<f", value)]


def text(field: int, value: str) -> Message:
    """A string in UTF-8."""
    return data(field, value.encode())


def data(field: int, value: Part) -> Message:
    """Bytes; a memoryview must be one of bytes."""
    return [_tag(field, _LENGTH) + _varint(len(value)), value]


def message(field: int, *fields: Message) -> Message:
    """A message within a message."""
    inside = joined(fields)
    return [_tag(field, _LENGTH) + _varint(size(inside)), *inside]


def joined(fields: Iterable[Message]) -> Message:
    """Fields one after the other."""
    return [part for field in fields for part in field]


def size(fields: Message) -> int:
    """The bytes of a message."""
    return sum(map(len, fields))


def _tag(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; negative numbers as their 64-bit complement."""
    value &= (1 << 64) - 1
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
