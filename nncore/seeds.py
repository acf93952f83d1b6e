"""Random generators derived from one seed by name.

Every consumer names its purpose (`"init", "dense_1.kernel"`), so that a new consumer shifts none
of the others and the order of calls does not matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bit_generator(seed: int, *names: str | int) -> np.random.PCG64:
    """The stream of random bits that belongs to these names under this seed (>= 0)."""
    import hashlib  # like np.random, when it is first needed: OpenSSL is large

    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    words = [int(word) for word in np.frombuffer(digest[:16], dtype="<u4")]
    return np.random.PCG64(np.random.SeedSequence([seed, *words]))


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A generator on the stream of `bit_generator`."""
    return np.random.Generator(bit_generator(seed, *names))


def uniform_rows(stream: np.random.PCG64, first: int, rows: int, width: int) -> NDArray[np.float32]:
    """Uniform numbers in [0, 1), (rows, width), for the batch's rows `first`, `first` + 1, ...

    A row's numbers depend on its place in the batch alone, so that shards of a batch draw what the
    whole batch would. One 64-bit draw makes two float32, hence the even number of draws a row.
    """
    draws = width + width % 2
    stream.advance(first * draws // 2)
    numbers = np.random.Generator(stream).random((rows, draws), dtype=np.float32)
    return numbers[:, :width]


def normal_rows(uniform: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Standard normal numbers (rows, width) from uniform ones (rows, 2, at least width / 2).

    Each pair gives two: sqrt(-2 log(1 - u)) times cos and sin of 2 pi v. Box and Muller, 1958.
    """
    radius = np.sqrt(-2 * np.log1p(-uniform[:, 0]))
    angle = np.float32(2 * np.pi) * uniform[:, 1]
    numbers = np.concatenate((radius * np.cos(angle), radius * np.sin(angle)), axis=1)
    return numbers[:, :width]
