"""A file system of its own, in memory, which can be filled to the last byte. Needs root."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

_BLOCK = 4096
_AGAIN_SECONDS = 0.02  # what others free meanwhile is taken, too


class Room:
    """Mounted by whoever knows the place; unmounted at the end."""

    def __init__(self, mebibytes: int) -> None:
        self._size = mebibytes
        self._path: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            subprocess.run(["umount", "--lazy", self._path], check=True)
            for folder in (self._path, self._path.parent):
                with suppress(OSError):
                    folder.rmdir()

    def mount(self, path: Path) -> None:
        """Put it at a folder; PermissionError where that is not allowed."""
        options = f"size={self._size}m,mode=0700"
        command = ["mount", "-t", "tmpfs", "-o", options, "gradserve-faults", str(path)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise PermissionError(f"this campaign mounts file systems: {done.stderr.strip()}")
        self._path = path

    @contextmanager
    def full(self, but_for: int = 0) -> Iterator[None]:
        """No room for the time of the block, but for some bytes at its beginning."""
        assert self._path is not None, "the room is nowhere"
        ballast = self._path / "ballast"
        over = threading.Event()
        _take_all(ballast)
        os.truncate(ballast, max(0, ballast.stat().st_size - but_for))
        filler = threading.Thread(target=_keep_full, args=(ballast, over, but_for == 0))
        filler.start()
        try:
            yield
        finally:
            over.set()
            filler.join()
            ballast.unlink()


def _keep_full(ballast: Path, over: threading.Event, wanted: bool) -> None:
    while wanted and not over.wait(_AGAIN_SECONDS):
        _take_all(ballast)


def _take_all(ballast: Path) -> None:
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        for size in (2**20, _BLOCK):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
