"""What becomes of jobs whose worker died: what their owner asked, or another attempt, or an end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.errors import job_error
from service.store import checkpoints, events
from service.store.database import now_ms
from service.store.jobs import JobRow
from service.store.leases import UNFINISHED, UNHELD
from service.store.transitions import FINAL, Status


def sweep(session: Session, max_attempts: int) -> int:
    """Settle expired jobs that nobody may claim again; the number of jobs that wait for a claim."""
    for job in _lock(session, UNHELD, JobRow.cancel_requested.is_(True)):
        _settle(session, job, Status.CANCELLED, None)
    expired = (JobRow.status == Status.RUNNING, JobRow.lease_until < now_ms())
    for job in _lock(session, *expired, JobRow.attempt >= max_attempts):
        detail = (
            f"The worker died {job.attempt} times while it ran this job, the last time on "
            f"{job.worker}. The job may need more memory than there is: try a smaller network or "
            "batch."
        )
        _settle(session, job, Status.FAILED, job_error("poisoned", detail, attempts=job.attempt))
    for job in _lock(session, UNHELD, JobRow.pause_requested.is_(True)):
        _settle(session, job, Status.PAUSED, None)
    waiting = select(JobRow.id).where(UNFINISHED, UNHELD).limit(100)
    return len(session.scalars(waiting).all())


def _lock(session: Session, *conditions: Any) -> Sequence[JobRow]:
    query = select(JobRow).where(UNFINISHED, *conditions).with_for_update(skip_locked=True)
    return session.scalars(query).all()


def _settle(session: Session, job: JobRow, status: Status, error: dict[str, Any] | None) -> None:
    job.status, job.error, job.lease_until = status, error, None
    job.token += 1
    job.pause_requested = False
    session.flush()
    if status in FINAL:
        session.execute(update(JobRow).where(JobRow.id == job.id).values(finished_at=now_ms()))
        checkpoints.remove(session, job.tenant, job.id)
    events.append(session, job.tenant, job.id, "status", {"status": status})
