"""Buffers that a shard reuses from step to step instead of asking the system for fresh pages."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import numpy as np

from nncore.arrays import Array


class Workspace:
    """Named buffers that grow to the largest size asked for. One thread at a time."""

    def __init__(self) -> None:
        self._buffers: dict[Hashable, Array] = {}

    def take(self, name: Hashable, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """The buffer of that name, uninitialised, valid until the name is asked for again."""
        size = math.prod(shape)
        flat = self._buffers.get(name)
        if flat is None or flat.size < size or flat.dtype != dtype:
            flat = self._buffers[name] = np.empty(size, dtype)
        return flat[:size].reshape(shape)
