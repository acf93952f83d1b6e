"""What becomes of jobs whose worker died: what their owner asked, or another attempt, or an end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select, text, update
from sqlalchemy.orm import Session

from service.errors import job_error
from service.store import checkpoints, events
from service.store.database import now_ms
from service.store.jobs import JobRow
from service.store.leases import UNFINISHED, UNHELD, URGENT_FIRST
from service.store.transitions import FINAL, Status

RUNNING = text("status = 'running'")  # written out, as for UNFINISHED


def sweep(session: Session, max_attempts: int) -> int:
    """Settle expired jobs that nobody may claim again; the number of jobs that wait for a claim."""
    for job in _to_settle(session, max_attempts):
        if job.cancel_requested:
            _settle(session, job, Status.CANCELLED, None)
        elif job.attempt >= max_attempts:
            _settle(session, job, Status.FAILED, _poisoned(job))
        else:
            _settle(session, job, Status.PAUSED, None)
    waiting = select(JobRow.id).where(UNFINISHED, UNHELD).order_by(*URGENT_FIRST).limit(100)
    return len(session.scalars(waiting).all())


def _to_settle(session: Session, max_attempts: int) -> Sequence[JobRow]:
    """Only a running job can have to be settled: in any other state a wish is granted at once."""
    spent = JobRow.attempt >= max_attempts
    query = (
        select(JobRow)
        .where(RUNNING, JobRow.lease_until < now_ms())
        .where(or_(JobRow.cancel_requested, JobRow.pause_requested, spent))
    )
    return session.scalars(query.with_for_update(skip_locked=True)).all()


def _poisoned(job: JobRow) -> dict[str, Any]:
    detail = (
        f"The worker died {job.attempt} times while it ran this job, the last time on "
        f"{job.worker}. The job may need more memory than there is: try a smaller network or "
        "batch."
    )
    return job_error("poisoned", detail, attempts=job.attempt)


def _settle(session: Session, job: JobRow, status: Status, error: dict[str, Any] | None) -> None:
    job.status, job.error, job.lease_until = status, error, None
    job.token += 1
    job.pause_requested = False
    session.flush()
    if status in FINAL:
        session.execute(update(JobRow).where(JobRow.id == job.id).values(finished_at=now_ms()))
        checkpoints.remove(session, job.tenant, job.id)
    events.append(session, job.tenant, job.id, "status", {"status": status})
