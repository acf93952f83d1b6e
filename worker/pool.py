"""The worker's pool of trainers: one that has ended is replaced at once.

Celery's own looks when a pipe of the child is closed. That is often a moment before the child can
be waited for, and it then looks again only five seconds later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery.concurrency.asynpool import AsynPool
from celery.concurrency.prefork import TaskPool as CeleryTaskPool

LOOK_SECONDS = 0.05


class Trainers(AsynPool):  # type: ignore[misc]  # Celery has no types
    """The processes."""

    @property
    def timers(self) -> dict[Callable[[], Any], float]:
        """What Celery's event loop calls, and how often in seconds."""
        return {self.maintain_pool: LOOK_SECONDS}


class TaskPool(CeleryTaskPool):  # type: ignore[misc]  # Celery has no types
    """What Celery calls a pool: a way to run tasks."""

    Pool = Trainers
