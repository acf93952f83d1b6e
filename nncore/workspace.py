"""Buffers that a shard reuses from step to step instead of asking the system for fresh pages."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np

from nncore.arrays import Array

_MOST_VIEWS = 4096


class Workspace:
    """Named buffers that grow to the largest size asked for. One thread at a time.

    `moves` counts how often a buffer had to grow: views taken before may be out of use since.
    """

    def __init__(self) -> None:
        self.moves = 0
        self._buffers: dict[Hashable, Array] = {}
        # Looking a view up is several times faster than cutting it out of its buffer again.
        self._views: dict[tuple[Hashable, tuple[int, ...], np.dtype[Any]], Array] = {}
        self._constants: dict[tuple[float, tuple[int, ...], np.dtype[Any]], Array] = {}

    def take(self, name: Hashable, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """The buffer of that name, uninitialised, valid until the name is asked for again."""
        view = self._views.get((name, shape, dtype))
        return self._cut(name, shape, dtype) if view is None else view

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        arrays = (*self._buffers.values(), *self._constants.values())
        return sum(array.nbytes for array in arrays)

    def _cut(self, name: Hashable, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        size = math.prod(shape)
        flat = self._buffers.get(name)
        if flat is None or flat.size < size or flat.dtype != dtype:
            flat = self._buffers[name] = np.empty(size, dtype)
            self._views = {key: view for key, view in self._views.items() if key[0] != name}
            self.moves += 1
        elif len(self._views) >= _MOST_VIEWS:
            self._views.clear()
        view = self._views[name, shape, dtype] = flat[:size].reshape(shape)
        return view

    def constant(self, value: float, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """An array full of one value, which nobody may change."""
        key = (value, shape, dtype)
        array = self._constants.get(key)
        if array is None:
            array = self._constants[key] = np.full(shape, value, dtype)
            array.flags.writeable = False
        return array


class Spare:
    """Keeps the workspace of one task for the next one, of at most `most` bytes. Any threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[Workspace] = []

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[Workspace]:
        """The workspace kept, or another one if somebody has it."""
        try:
            workspace = self._kept.pop()
        except IndexError:
            workspace = Workspace()
        yield workspace
        if workspace.size <= self._most:
            self._kept[:] = [workspace]
