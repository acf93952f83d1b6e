"""Bounded gzip: a small file may not become an arbitrarily large one."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from service.datasets.formats.errors import FormatError

MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 1 << 20
MEMORY_BYTES = 32 << 20  # beyond it the text waits on disk


@contextmanager
def unpacked(file: BinaryIO, max_bytes: int) -> Iterator[BinaryIO]:
    """`file` itself, or what it unpacks to if it is gzip. Raises FormatError."""
    start = file.read(len(MAGIC))
    file.seek(0)
    if start != MAGIC:
        yield file
        return
    with SpooledTemporaryFile(max_size=MEMORY_BYTES) as target:
        plain = cast("BinaryIO", target)
        _unpack(file, plain, max_bytes)
        plain.seek(0)
        yield plain


def _unpack(file: BinaryIO, target: BinaryIO, max_bytes: int) -> None:
    total = 0
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                total += len(chunk)
                if total > max_bytes:
                    raise FormatError(
                        f"the gzip file unpacks to more than the allowed {max_bytes} bytes"
                    )
                target.write(chunk)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(f"the gzip file is damaged or cut off: {error}") from error
