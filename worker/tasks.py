"""The Celery task, and what its processes need before and after it."""

from __future__ import annotations

from typing import Any

from celery import bootsteps, signals

from worker import process
from worker.celery_app import TASK, app


@app.task(name=TASK)
def train(job_id: str) -> None:
    """Train the most urgent job; `job_id` is the one that rang."""
    process.answer(job_id)


@signals.worker_process_init.connect
def _child_started(**_: Any) -> None:
    process.start_child()


@signals.worker_process_shutdown.connect
def _child_stops(**_: Any) -> None:
    process.stop_child()


class Sweeping(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Starts the sweeper behind the pool: unlike `worker_ready`, it waits for no broker."""

    requires = ("celery.worker.components:Pool",)

    def start(self, _parent: Any) -> None:
        """Called by the worker as it starts."""
        process.start_parent()


app.steps["worker"].add(Sweeping)


@signals.worker_shutting_down.connect
def _parent_stops(**_: Any) -> None:
    process.stop_parent()
