"""The supervisor's side of `guard`: starts it and tells it which process groups there are."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence

from service.supervisor import guard


class Guard:
    """A guard process and the pipe that ends when this process does."""

    def __init__(self, keep_open: Sequence[int] = ()) -> None:
        """`keep_open`: descriptors that the guard is to hold (the data directory's lock)."""
        self._keep_open = tuple(keep_open)
        self._groups: set[int] = set()
        self._start()

    def add(self, group: int) -> None:
        """A process group has started."""
        self._groups.add(group)
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """A process group has ended."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    def replace_if_ended(self) -> None:
        """Start another guard where somebody has killed this one."""
        if self._process.poll() is not None:
            os.close(self._pipe)
            self._start()
            for group in self._groups:
                self._tell(f"+{group}\n")

    def close(self) -> None:
        """Let the guard end; whatever still runs then is killed."""
        os.close(self._pipe)
        self._process.wait()

    def _start(self) -> None:
        read, self._pipe = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__],
                stdin=read,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=self._keep_open,
            )
        finally:
            os.close(read)

    def _tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # it was killed, and is about to be replaced
            os.write(self._pipe, line.encode())
