"""The gzipped idx files of MNIST and Fashion-MNIST as arrays. Both sides read them with this."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

Arrays = tuple[Any, Any]


def examples(folder: Path, part: str) -> Arrays:
    """`train` or `t10k`: images (N, 28, 28, 1) as float32 in [0, 1], labels (N,) as int64."""
    pixels = _payload(folder / f"{part}-images-idx3-ubyte.gz", 16)
    labels = _payload(folder / f"{part}-labels-idx1-ubyte.gz", 8)
    images = pixels.reshape(-1, 28, 28, 1).astype(np.float32)
    images /= 255
    return images, labels.astype(np.int64)


def _payload(file: Path, head: int) -> Any:
    with gzip.open(file) as stream:
        return np.frombuffer(stream.read(), np.uint8, offset=head)
