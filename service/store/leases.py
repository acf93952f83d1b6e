"""The workers' side of a job: claim it, keep it, write for it, finish it.

Every write here is conditional on the fencing token that the claim gave, on the database's clock;
a write that changes no row raises LeaseLost, and its transaction leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select, text, update
from sqlalchemy.orm import Session

from service.errors import LeaseLost, job_error
from service.store import checkpoints, epochs, events
from service.store.database import now_ms
from service.store.epochs import EpochReport
from service.store.jobs import JobRow
from service.store.transitions import Status


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to write for a job, until somebody claims it anew."""

    job_id: str
    tenant: str
    token: int
    attempt: int
    name: str
    dataset_id: str
    spec: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the owner asks of a running job."""

    cancel: bool = False
    pause: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `training_ms` since its training began."""

    epoch: int
    step: int
    training_ms: int


# Written out, since a planner uses the partial index only if it sees the very condition.
_UNFINISHED = text("status IN ('queued', 'running')")
_UNHELD = or_(JobRow.lease_until.is_(None), JobRow.lease_until < now_ms())


def claim_next(
    session: Session, worker: str, lease_seconds: float, max_attempts: int
) -> Claim | None:
    """Claim the most urgent job that nobody holds, or None.

    A message only says that there is work; which job is next is decided here, so that a lost,
    late or repeated message never matters and a priority always does.
    """
    candidate = (
        select(JobRow.id)
        .where(_UNFINISHED, _UNHELD)
        .where(JobRow.cancel_requested.is_(False), JobRow.attempt < max_attempts)
        .order_by(JobRow.priority.desc(), JobRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .correlate(None)
    )
    job = session.scalars(
        update(JobRow)
        .where(JobRow.id == candidate.scalar_subquery(), _UNFINISHED, _UNHELD)
        .values(
            status=Status.RUNNING,
            token=JobRow.token + 1,
            attempt=JobRow.attempt + 1,
            lease_until=now_ms() + round(lease_seconds * 1000),
            worker=worker,
            started_at=now_ms(),
            epoch=0,  # an attempt begins anew; the history keeps what the last one recorded
            step=0,
            training_ms=0,
        )
        .returning(JobRow)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if job is None:
        return None
    claim = Claim(job.id, job.tenant, job.token, job.attempt, job.name, job.dataset_id, job.spec)
    status = {"status": Status.RUNNING, "attempt": job.attempt}
    events.append(session, job.tenant, job.id, "status", status)
    return claim


def beat(session: Session, claim: Claim, lease_seconds: float, progress: Progress | None) -> Wishes:
    """Renew the lease and record progress; what the owner asks.

    Raises:
        LeaseLost: another attempt owns the job, or it is final.
    """
    values: dict[str, Any] = {"lease_until": now_ms() + round(lease_seconds * 1000)}
    if progress is not None:
        values |= {
            "epoch": progress.epoch,
            "step": progress.step,
            "training_ms": progress.training_ms,
        }
    row = session.execute(
        _fenced(claim)
        .values(**values)
        .returning(JobRow.cancel_requested, JobRow.pause_requested, JobRow.steps)
    ).one_or_none()
    if row is None:
        raise LeaseLost(f"job {claim.job_id}: token {claim.token} is not the latest")
    if progress is not None:
        data = {
            "epoch": progress.epoch,
            "epochs": claim.spec["epochs"],
            "step": progress.step,
            "steps": row.steps,
        }
        events.append(session, claim.tenant, claim.job_id, "progress", data)
    return Wishes(row.cancel_requested, row.pause_requested)


def record_epochs(session: Session, claim: Claim, reports: Sequence[EpochReport]) -> None:
    """Add epochs to the history; a repeated attempt leaves what is already there."""
    if not reports:
        return
    latest = reports[-1]
    _write(session, claim, epoch=latest.number, step=latest.step, metrics=latest.metrics)
    last = epochs.last(session, claim.tenant, claim.job_id)
    fresh = [report for report in reports if report.number > last]
    epochs.add(session, claim.tenant, claim.job_id, fresh)
    data = [{"epoch": each.number, "step": each.step, **each.history} for each in fresh]
    events.append(session, claim.tenant, claim.job_id, "epoch", *data)


def log(session: Session, claim: Claim, message: str) -> None:
    """Say something to the owner in the job's stream."""
    _write(session, claim, worker=JobRow.worker)
    events.append(session, claim.tenant, claim.job_id, "log", {"message": message})


def succeed(
    session: Session, claim: Claim, model_id: str, progress: Progress, metrics: dict[str, float]
) -> None:
    """Finish with a model, which the same transaction adds."""
    _finish(
        session,
        claim,
        Status.SUCCEEDED,
        model_id=model_id,
        metrics=metrics,
        epoch=progress.epoch,
        step=progress.step,
        training_ms=progress.training_ms,
    )


def fail(session: Session, claim: Claim, error: dict[str, Any]) -> None:
    """Finish with an error."""
    _finish(session, claim, Status.FAILED, error=error)


def cancelled(session: Session, claim: Claim) -> None:
    """Finish as the owner asked."""
    _finish(session, claim, Status.CANCELLED)


def checkpoint(session: Session, claim: Claim, step: int, state: bytes) -> None:
    """Keep where the run is, so that another attempt can go on from there."""
    _write(session, claim, step=step)
    checkpoints.add(session, claim.tenant, claim.job_id, step, state)


def paused(session: Session, claim: Claim) -> None:
    """Stand still until the owner resumes; the attempt does not count."""
    _write(
        session,
        claim,
        status=Status.PAUSED,
        lease_until=None,
        pause_requested=False,
        attempt=JobRow.attempt - 1,
    )
    events.append(session, claim.tenant, claim.job_id, "status", {"status": Status.PAUSED})


def release(session: Session, claim: Claim) -> None:
    """Give the job back to the queue unharmed: the worker stops, the attempt does not count."""
    _write(session, claim, status=Status.QUEUED, lease_until=None, attempt=JobRow.attempt - 1)
    events.append(session, claim.tenant, claim.job_id, "status", {"status": Status.QUEUED})


def sweep(session: Session, max_attempts: int) -> int:
    """Settle expired jobs that nobody may claim again; the number of jobs that wait for a claim."""
    for job in _lock(session, _UNHELD, JobRow.cancel_requested.is_(True)):
        _settle(session, job, Status.CANCELLED, None)
    expired = (JobRow.status == Status.RUNNING, JobRow.lease_until < now_ms())
    for job in _lock(session, *expired, JobRow.attempt >= max_attempts):
        detail = (
            f"The worker died {job.attempt} times while it ran this job, the last time on "
            f"{job.worker}. The job may need more memory than there is: try a smaller network or "
            "batch."
        )
        _settle(session, job, Status.FAILED, job_error("poisoned", detail, attempts=job.attempt))
    waiting = select(JobRow.id).where(_UNFINISHED, _UNHELD).limit(100)
    return len(session.scalars(waiting).all())


def _lock(session: Session, *conditions: Any) -> Sequence[JobRow]:
    query = select(JobRow).where(_UNFINISHED, *conditions).with_for_update(skip_locked=True)
    return session.scalars(query).all()


def _settle(session: Session, job: JobRow, status: Status, error: dict[str, Any] | None) -> None:
    job.status, job.error, job.lease_until = status, error, None
    job.token += 1
    session.execute(update(JobRow).where(JobRow.id == job.id).values(finished_at=now_ms()))
    session.flush()
    checkpoints.remove(session, job.tenant, job.id)
    events.append(session, job.tenant, job.id, "status", {"status": status})


def _finish(session: Session, claim: Claim, status: Status, **values: Any) -> None:
    _write(session, claim, status=status, lease_until=None, finished_at=now_ms(), **values)
    checkpoints.remove(session, claim.tenant, claim.job_id)
    events.append(session, claim.tenant, claim.job_id, "status", {"status": status})


def _write(session: Session, claim: Claim, **values: Any) -> None:
    written = session.execute(_fenced(claim).values(**values).returning(JobRow.id))
    if written.one_or_none() is None:
        raise LeaseLost(f"job {claim.job_id}: token {claim.token} is not the latest")


def _fenced(claim: Claim) -> Any:
    return (
        update(JobRow)
        .where(JobRow.id == claim.job_id, JobRow.tenant == claim.tenant)
        .where(JobRow.token == claim.token, JobRow.status == Status.RUNNING)
        .execution_options(synchronize_session=False)
    )
