"""The Celery task, and what its processes need before and after it."""

from __future__ import annotations

from typing import Any

from celery import signals

from worker import process
from worker.celery_app import TASK, app


@app.task(name=TASK)
def train(job_id: str) -> None:
    """Train the most urgent job; `job_id` is the one that rang."""
    process.run_next(rung_by=job_id)


@signals.worker_process_init.connect
def _child_started(**_: Any) -> None:
    process.start_child()


@signals.worker_process_shutdown.connect
def _child_stops(**_: Any) -> None:
    process.stop_child()


@signals.worker_ready.connect
def _parent_ready(**_: Any) -> None:
    process.start_parent()


@signals.worker_shutting_down.connect
def _parent_stops(**_: Any) -> None:
    process.stop_parent()
