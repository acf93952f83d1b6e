"""When a trainer is replaced: after many jobs, or when it has kept much memory of past ones.

It leaves between two jobs, and its parent forks the next one, which has everything loaded and looks
for work at once: a job that finds no other trainer waits for a fifth of a second.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from service.settings import Settings


class Age:
    """What a trainer has been through since it was forked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._jobs = 0
        self._young_bytes = _resident()
        self._due = False

    @property
    def due(self) -> bool:
        """Whether the trainer should take no more jobs."""
        return self._due

    def ended_job(self) -> None:
        """A job has ended here, however it did."""
        self._jobs += 1
        kept = _resident() - self._young_bytes
        self._due = self._jobs >= self._settings.recycle_jobs or kept > self._settings.recycle_bytes


def _resident() -> int:
    """This process' bytes in memory; 0 where there is no /proc."""
    if sys.platform != "linux":
        return 0
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * resource.getpagesize()
