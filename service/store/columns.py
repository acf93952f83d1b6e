"""A dataset's columns as one safetensors buffer, from which single columns can be read.

Tensors are named by the column's position: "<i>.values" for numbers, booleans and tensors;
"<i>.offsets" (int64, N + 1), "<i>.bytes" (UTF-8) and "<i>.missing" for category and text. The
metadata "schema" is a JSON list of {"name", "type", "shape"} in order. Decoded arrays are
read-only views of the buffer where that is possible.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Schema = list[dict[str, Any]]
Bytes = bytes | bytearray | memoryview

TEXT_TYPES = ("category", "text")
ALIGNMENT = 8
DTYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "F16": "<f2",
    "U32": "<u4",
    "I32": "<i4",
    "F32": "<f4",
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
}
NAMES = {np.dtype(code): name for name, code in DTYPES.items()}


def encode_columns(columns: Mapping[str, Array], schema: Sequence[Mapping[str, Any]]) -> bytes:
    """The buffer of all columns that `schema` names, in its order.

    Raises ValueError for a dtype that is no bool, integer or float16/32/64, and KeyError for a
    column that is not there.
    """
    tensors: dict[str, Array] = {}
    for position, entry in enumerate(schema):
        values = columns[entry["name"]]
        parts = _text_parts(values) if entry["type"] in TEXT_TYPES else {"values": values}
        tensors |= {f"{position}.{part}": array for part, array in parts.items()}
    kept = [{key: entry[key] for key in ("name", "type", "shape")} for entry in schema]
    return _serialised(tensors, {"schema": json.dumps(kept)})


def decode_columns(data: Bytes, names: Iterable[str] | None = None) -> dict[str, Array]:
    """The columns by name in the schema's order; only `names`, in their order, if given.

    Raises KeyError for a name that the buffer does not hold.
    """
    buffer = _Buffer(data)
    places = {entry["name"]: position for position, entry in enumerate(buffer.schema)}
    return {name: buffer.column(places[name]) for name in (places if names is None else names)}


def read_schema(data: Bytes) -> Schema:
    """The schema that the columns were stored with."""
    return _Buffer(data).schema


def head(data: Bytes, limit: int) -> list[dict[str, Any]]:
    """The first `limit` rows as JSON objects; missing is null, whole numbers are integers."""
    buffer = _Buffer(data)
    columns = {
        entry["name"]: [_JSON[entry["type"]](value) for value in buffer.column(i, limit)]
        for i, entry in enumerate(buffer.schema)
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


class _Buffer:
    """A safetensors buffer: 8 bytes of header length, a JSON header, the tensors' bytes."""

    def __init__(self, data: Bytes) -> None:
        length = int.from_bytes(data[:8], "little")
        self.header = json.loads(bytes(data[8 : 8 + length]))
        self.schema: Schema = json.loads(self.header["__metadata__"]["schema"])
        self._body = memoryview(data)[8 + length :]

    def tensor(self, name: str) -> Array:
        """A view of a tensor by its name."""
        entry = self.header[name]
        start, end = entry["data_offsets"]
        dtype = np.dtype(DTYPES[entry["dtype"]])
        return np.frombuffer(self._body[start:end], dtype).reshape(entry["shape"])

    def column(self, position: int, limit: int | None = None) -> Array:
        """A column by its position, or its first rows."""
        if self.schema[position]["type"] not in TEXT_TYPES:
            return self.tensor(f"{position}.values")[:limit]
        missing = self.tensor(f"{position}.missing")[:limit]
        offsets = self.tensor(f"{position}.offsets")[: len(missing) + 1]
        return _texts(offsets, self.tensor(f"{position}.bytes"), missing)


def _text_parts(values: Array) -> dict[str, Array]:
    encoded = [b"" if value is None else value.encode("utf-8") for value in values]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(part) for part in encoded], out=offsets[1:])
    return {
        "offsets": offsets,
        "bytes": np.frombuffer(b"".join(encoded), np.uint8),
        "missing": np.array([value is None for value in values], np.bool_),
    }


def _texts(offsets: Array, raw: Array, missing: Array) -> Array:
    data = raw[: offsets[-1]].tobytes()
    pool: dict[bytes, str] = {}  # equal texts share one string
    texts = np.empty(len(missing), object)
    spans = pairwise(offsets.tolist())
    for i, ((start, end), absent) in enumerate(zip(spans, missing.tolist(), strict=True)):
        if not absent:
            part = data[start:end]
            text = pool.get(part)
            texts[i] = pool.setdefault(part, part.decode("utf-8")) if text is None else text
    return texts


def _serialised(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """Own writer rather than the library's, whose copies triple the memory of a large dataset.

    Wide types come first, so that every tensor is aligned.
    """
    header: dict[str, Any] = {"__metadata__": metadata}
    chunks: list[memoryview] = []
    end = 0
    for name, values in sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize):
        code = NAMES.get(values.dtype)
        if code is None:
            raise ValueError(f"a column of dtype {values.dtype} cannot be stored")
        start, end = end, end + values.nbytes
        entry = {"dtype": code, "shape": list(values.shape), "data_offsets": [start, end]}
        header[name] = entry
        chunks.append(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    text = json.dumps(header).encode("utf-8")
    text += b" " * (-len(text) % ALIGNMENT)
    return b"".join([len(text).to_bytes(8, "little"), text, *chunks])


def _json_number(value: Any) -> int | float | None:
    number = float(value)
    if math.isnan(number):
        return None
    return int(number) if number.is_integer() and abs(number) <= 2**53 else number


_JSON: dict[str, Any] = {
    "number": _json_number,
    "boolean": lambda value: None if math.isnan(value) else bool(value),
    "category": lambda value: value,
    "text": lambda value: value,
    "tensor": lambda value: value.tolist(),
}
