"""The header of an .npy member, read without trusting it.

A header is text that claims a type and a shape; nothing is allocated before both are checked
against the bytes that follow. Format: numpy.lib.format, versions 1.0 to 3.0.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from nncore.preprocessing.wording import quoted

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 4096
MOST_DIMENSIONS = 8
NUMERIC = re.compile(r"\|b1|[|<>=]?[iu]1|[<>=][iu][248]|[<>=]f[248]")
TEXT = re.compile(r"[<>=|]?[US][1-9]\d{0,5}")
REFUSED = {
    "O": "holds Python objects, which could run code when loaded; save numbers, or text of fixed"
    " width (array.astype(str))",
    "c": "holds complex numbers; save real and imaginary part as two arrays",
    "M": "holds dates; save them as numbers",
    "m": "holds time spans; save them as numbers",
    "V": "holds records; save one array per field",
}


@dataclass(frozen=True, slots=True)
class NpyHeader:
    """What an .npy member says of itself; `size` counts the header's own bytes."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    size: int

    @property
    def payload(self) -> int:
        """Bytes of data that must follow."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(stream: IO[bytes]) -> NpyHeader:
    """Read magic, version and header. Raises ValueError with a phrase that follows a name."""
    start = stream.read(len(MAGIC) + 2)
    if start[: len(MAGIC)] != MAGIC or len(start) != len(MAGIC) + 2:
        raise ValueError("is no .npy array (its first bytes are wrong); write it with numpy.savez")
    wide = start[len(MAGIC)] in (2, 3)
    if not wide and start[len(MAGIC)] != 1:
        raise ValueError(f"has version {start[len(MAGIC)]} of the .npy format; 1 to 3 are known")
    counter = stream.read(4 if wide else 2)
    length = int.from_bytes(counter, "little")
    if length > LONGEST_HEADER:
        raise ValueError(f"has a header of {length} bytes; at most {LONGEST_HEADER} are allowed")
    text = stream.read(length)
    if len(text) != length:
        raise ValueError("is cut off within its header")
    dtype, shape, fortran = _interpret(text)
    return NpyHeader(dtype, shape, fortran, len(start) + len(counter) + length)


def _interpret(text: bytes) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    try:
        document = ast.literal_eval(text.decode("utf-8").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError("has an unreadable header") from None
    if not isinstance(document, dict) or set(document) != {"descr", "fortran_order", "shape"}:
        raise ValueError("has a header without exactly descr, fortran_order and shape")
    shape, fortran = document["shape"], document["fortran_order"]
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"has an impossible shape {quoted(str(shape))}")
    if len(shape) > MOST_DIMENSIONS:
        raise ValueError(f"has {len(shape)} dimensions; at most {MOST_DIMENSIONS} are allowed")
    if type(fortran) is not bool:
        raise ValueError("has a fortran_order that is neither True nor False")
    return _allowed_dtype(document["descr"]), shape, fortran


def _allowed_dtype(descr: object) -> np.dtype[Any]:
    if not isinstance(descr, str):
        raise ValueError(REFUSED["V"])
    if NUMERIC.fullmatch(descr) or TEXT.fullmatch(descr):
        return np.dtype(descr)
    for code, reason in REFUSED.items():
        if code in descr[:2]:
            raise ValueError(reason)
    raise ValueError(
        f"has the type {quoted(descr)}; booleans, integers, float16/32/64 and fixed-width text are"
        " read"
    )
