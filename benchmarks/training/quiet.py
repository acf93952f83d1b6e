"""Whether others use the machine: then times say nothing, and PyTorch's suffer more than ours.

PyTorch's threads spin while they wait for each other; one that has lost its core stops both.
"""

from __future__ import annotations

import time
from pathlib import Path

QUIET = 0.1
_LOOKS = 5


def busy_share(seconds: float = 0.5) -> float:
    """The share of all cores' time that somebody uses while this process waits."""

    def ticks() -> list[int]:
        with Path("/proc/stat").open(encoding="ascii") as lines:
            return [int(word) for word in lines.readline().split()[1:]]

    before = ticks()
    time.sleep(seconds)
    spent = [now - then for now, then in zip(ticks(), before, strict=True)]
    idle = spent[3] + spent[4]
    return 1 - idle / max(1, sum(spent))


def settled() -> float:
    """The share at which the machine settles: the last process's end may still take a moment."""
    share = 1.0
    for _ in range(_LOOKS):
        share = min(share, busy_share())
        if share <= QUIET:
            break
    return round(share, 2)
