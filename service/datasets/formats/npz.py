"""NumPy .npz files: a zip of .npy arrays that share their first axis, read without trusting it."""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nncore.preprocessing.wording import join_pointer, quoted
from service.datasets.formats.array_columns import array_column, check_lengths, declare
from service.datasets.formats.errors import FormatError
from service.datasets.formats.inference import check_declared, check_name
from service.datasets.formats.npy_header import NpyHeader, read_header
from service.datasets.formats.parsed import ParsedDataset, ParseOptions, collect
from service.datasets.formats.registry import register

MOST_ENTRIES = 1000
CHUNK_BYTES = 1 << 22
ENCRYPTED = 1
SYMLINK = 0o120000
READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack without a bound
DAMAGE = (  # what zipfile raises on broken input
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)


@register("npz", ".npz")
def parse_npz(file: BinaryIO, options: ParseOptions) -> ParsedDataset:
    """Read all arrays of an .npz file into columns. Raises FormatError that names the array."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = checked_entries(archive, options.max_bytes)
            arrays = {name: _load(archive, info, name) for name, info in entries.items()}
    except FormatError:
        raise
    except DAMAGE as error:
        raise FormatError(
            f"the file is no complete .npz archive ({error}); write it with numpy.savez"
        ) from error
    check_lengths(arrays, "/file")
    check_declared(options.schema, list(arrays))
    columns = {name: array_column(name, values, "/file") for name, values in arrays.items()}
    for name, kind in options.schema.items():
        columns[name] = declare(name, columns[name], kind, join_pointer("schema", name))
    return collect("npz", columns)


def checked_entries(archive: zipfile.ZipFile, max_bytes: int) -> dict[str, zipfile.ZipInfo]:
    """The members by array name, from the zip directory alone. Raises FormatError."""
    infos = archive.infolist()
    if not infos:
        raise FormatError("the archive is empty; it must hold at least one array")
    if len(infos) > MOST_ENTRIES:
        raise FormatError(f"the archive has {len(infos)} members; at most {MOST_ENTRIES} are read")
    total = sum(info.file_size for info in infos)
    if total > max_bytes:
        raise FormatError(f"the arrays unpack to {total} bytes; at most {max_bytes} are allowed")
    entries: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = _array_name(info)
        if name in entries:
            raise FormatError(f"the archive holds {quoted(info.filename)} twice; keep one")
        entries[name] = info
    return entries


def _array_name(info: zipfile.ZipInfo) -> str:
    stored = info.orig_filename
    if info.flag_bits & ENCRYPTED:
        raise FormatError(f"the member {quoted(stored)} is encrypted; save it without a password")
    if info.compress_type not in READABLE:
        raise FormatError(
            f"the member {quoted(stored)} is packed by a method that is not read; write the file"
            " with numpy.savez or numpy.savez_compressed"
        )
    path_like = any(part in stored for part in ("/", "\\", "..", ":", "\0"))
    if path_like or (info.external_attr >> 16) & 0o170000 == SYMLINK:
        raise FormatError(
            f"the member {quoted(stored)} is a path or a link; members must be plain names such as"
            ' "x.npy"'
        )
    if not stored.endswith(".npy"):
        raise FormatError(
            f"the member {quoted(stored)} is no .npy array; an npz holds nothing else"
        )
    name = stored.removesuffix(".npy")
    check_name(name, "/file", f"the member {quoted(stored)}")
    return name


def _load(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> NDArray[Any]:
    with archive.open(info) as stream:
        try:
            header = read_header(stream)
            _check_payload(header, info.file_size - header.size)
            return _read_payload(stream, header)
        except ValueError as error:
            raise FormatError(f"the array {quoted(name)} {error}") from error


def _check_payload(header: NpyHeader, available: int) -> None:
    if not header.shape or not math.prod(header.shape):
        raise ValueError(f"has the shape {list(header.shape)} and so no rows of values; fill it")
    if header.payload != available:
        raise ValueError(
            f"claims {header.payload} bytes by its shape {list(header.shape)} and type"
            f" {header.dtype}, but holds {available}"
        )


def _read_payload(stream: IO[bytes], header: NpyHeader) -> NDArray[Any]:
    raw = bytearray()
    while chunk := stream.read(CHUNK_BYTES):  # to the end, where the zip's checksum is compared
        raw += chunk
    if len(raw) != header.payload:
        raise ValueError(f"is cut off: {len(raw)} of {header.payload} bytes are there")
    order = "F" if header.fortran else "C"
    values = np.frombuffer(raw, header.dtype).reshape(header.shape, order=order)  # type: ignore[call-overload]  # order is one of both
    if header.dtype.kind == "b":
        return np.ascontiguousarray(values.view(np.uint8) != 0)  # any byte may stand for true
    return np.ascontiguousarray(values, header.dtype.newbyteorder("="))
