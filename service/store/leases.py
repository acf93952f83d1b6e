"""The workers' side of a job: claim it, keep it, write for it, finish it.

Every write here is conditional on the fencing token that the claim gave, on the database's clock;
a write that changes no row raises LeaseLost, and its transaction leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, or_, select, text, update
from sqlalchemy.orm import Session

from service.errors import LeaseLost
from service.store import checkpoints, epochs, events
from service.store.checkpoints import Progress
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
    reached: Progress  # by the attempts before
    spent_ms: int  # by them, on the database's clock


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the owner asks of a running job."""

    cancel: bool = False
    pause: bool = False


# Written out, since a planner uses the partial index only if it sees the very condition.
UNFINISHED = text("status IN ('queued', 'running')")
UNHELD = or_(JobRow.lease_until.is_(None), JobRow.lease_until < now_ms())
URGENT_FIRST = (JobRow.priority.desc(), JobRow.id)


def claimable(session: Session, max_attempts: int) -> bool:
    """Whether a job waits for a claim; takes no lock."""
    return session.scalar(_claimable(max_attempts)) is not None


def claim_next(
    session: Session, worker: str, lease_seconds: float, max_attempts: int
) -> Claim | None:
    """Claim the most urgent job that nobody holds, or None.

    A message only says that there is work; which job is next is decided here, so that a lost,
    late or repeated message never matters and a priority always does.
    """
    candidate = _claimable(max_attempts).with_for_update(skip_locked=True).correlate(None)
    job = session.scalars(
        update(JobRow)
        .where(JobRow.id == candidate.scalar_subquery(), UNFINISHED, UNHELD)
        .values(
            status=Status.RUNNING,
            token=JobRow.token + 1,
            attempt=JobRow.attempt + 1,
            lease_until=now_ms() + round(lease_seconds * 1000),
            worker=worker,
            started_at=now_ms(),
        )
        .returning(JobRow)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if job is None:
        return None
    status = {"status": Status.RUNNING, "attempt": job.attempt}
    events.append(session, job.tenant, job.id, "status", status)
    return Claim(
        job.id,
        job.tenant,
        job.token,
        job.attempt,
        job.name,
        job.dataset_id,
        job.spec,
        Progress(job.epoch, job.step, job.training_ms),
        job.spent_ms,
    )


def _claimable(max_attempts: int) -> Select[str]:
    # Only a worker's death spends attempts, so a job in the queue may always be claimed.
    tries = or_(JobRow.status == Status.QUEUED, JobRow.attempt < max_attempts)
    return (
        select(JobRow.id)
        .where(UNFINISHED, UNHELD, tries)
        .where(JobRow.cancel_requested.is_(False), JobRow.pause_requested.is_(False))
        .order_by(*URGENT_FIRST)
        .limit(1)
    )


def begin(session: Session, claim: Claim, at: Progress, *messages: str) -> None:
    """Say where the attempt begins, and why there."""
    _write(session, claim, **asdict(at))
    events.append(session, claim.tenant, claim.job_id, "log", *({"message": m} for m in messages))


def beat(session: Session, claim: Claim, lease_seconds: float, progress: Progress | None) -> Wishes:
    """Renew the lease and record progress; what the owner asks.

    Raises:
        LeaseLost: another attempt owns the job, or it is final.
    """
    values: dict[str, Any] = {"lease_until": now_ms() + round(lease_seconds * 1000)}
    if progress is not None:
        values |= asdict(progress)
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
        **asdict(progress),
    )


def fail(session: Session, claim: Claim, error: dict[str, Any]) -> None:
    """Finish with an error."""
    _finish(session, claim, Status.FAILED, error=error)


def cancelled(session: Session, claim: Claim) -> None:
    """Finish as the owner asked."""
    _finish(session, claim, Status.CANCELLED)


def checkpoint(session: Session, claim: Claim, at: Progress, state: bytes) -> None:
    """Keep where the run is, so that another attempt can go on from there."""
    _write(session, claim, **asdict(at))
    checkpoints.add(session, claim.tenant, claim.job_id, at, state)


def release(session: Session, claim: Claim) -> Status:
    """Let go of a job whose state is kept: paused or cancelled if its owner asks so, else queued.

    The attempt does not count. The wishes are read under the row's lock, since what made the
    worker stop may be withdrawn, or something else be asked, until this transaction.
    """
    wishes = _write(session, claim, worker=JobRow.worker)
    if wishes.cancel:
        cancelled(session, claim)
        return Status.CANCELLED
    status = Status.PAUSED if wishes.pause else Status.QUEUED
    _write(
        session,
        claim,
        status=status,
        lease_until=None,
        pause_requested=False,
        attempt=JobRow.attempt - 1,
    )
    events.append(session, claim.tenant, claim.job_id, "status", {"status": status})
    return status


def _finish(session: Session, claim: Claim, status: Status, **values: Any) -> None:
    _write(session, claim, status=status, lease_until=None, finished_at=now_ms(), **values)
    checkpoints.remove(session, claim.tenant, claim.job_id)
    events.append(session, claim.tenant, claim.job_id, "status", {"status": status})


def _write(session: Session, claim: Claim, **values: Any) -> Wishes:
    found = session.execute(
        _fenced(claim).values(**values).returning(JobRow.cancel_requested, JobRow.pause_requested)
    ).one_or_none()
    if found is None:
        raise LeaseLost(f"job {claim.job_id}: token {claim.token} is not the latest")
    return Wishes(*found)


def _fenced(claim: Claim) -> Any:
    return (
        update(JobRow)
        .where(JobRow.id == claim.job_id, JobRow.tenant == claim.tenant)
        .where(JobRow.token == claim.token, JobRow.status == Status.RUNNING)
        .values(spent_ms=claim.spent_ms + now_ms() - JobRow.started_at)
        .execution_options(synchronize_session=False)
    )
