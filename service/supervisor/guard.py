"""Ends what a killed supervisor leaves behind: grandchildren, which no parent-death signal reaches.

Runs as a script of its own. Its standard input is a pipe from the supervisor with a line `+GROUP`
for each process group started and `-GROUP` for each that has ended; the pipe ends when the
supervisor does, however it died. It inherits the lock of the data directory, so that no other
stack starts there before the last process is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

GIVE_UP_SECONDS = 5.0
_LOOK_SECONDS = 0.01


def remaining(lines: Iterable[str]) -> set[int]:
    """The groups that still run once the supervisor is gone; returns at the end of the pipe."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def end(groups: set[int]) -> None:
    """Kill the groups and wait until the kernel knows none of them."""
    for group in groups:
        _signal(group, signal.SIGKILL)
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while any(_signal(group, 0) for group in groups) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)


def _signal(group: int, number: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    end(remaining(sys.stdin))
