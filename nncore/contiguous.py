"""Arrays whose elements follow each other in memory."""

from __future__ import annotations

import numpy as np

from nncore.arrays import Array
from nncore.passes import Pass


def contiguous(values: Array, name: str, p: Pass) -> Array:
    """The array itself if its elements follow each other, else a copy in a buffer of the stage."""
    if values.flags.c_contiguous:
        return values
    copied = p.buffer(name, values.shape, values.dtype)
    p.do(np.copyto, copied, values)
    return copied
