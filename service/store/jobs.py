"""Jobs as their owner sees them: submit, look, cancel, delete. Workers' side: `leases`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    false,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.errors import Conflict, NotFound
from service.store import checkpoints, events
from service.store.database import Row, now_ms
from service.store.identifiers import new_id
from service.store.pages import Page, newest_first
from service.store.tenants import TenantColumn
from service.store.transitions import ACTIVE, FINAL, Status

_KNOWN = ", ".join(f"'{status}'" for status in Status)


class JobRow(Row):
    """One training run. `token` fences: only the holder of the latest may write as its worker."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant: Mapped[TenantColumn]
    name: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(10), default=Status.QUEUED)
    dataset_id: Mapped[str] = mapped_column(String(40))  # stays when the dataset is deleted
    model_id: Mapped[str | None] = mapped_column(String(40))  # stays when the model is deleted
    spec: Mapped[dict[str, Any]] = mapped_column(JSON)
    priority: Mapped[int] = mapped_column(default=0)

    token: Mapped[int] = mapped_column(BigInteger, default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[int | None] = mapped_column(BigInteger)
    worker: Mapped[str | None] = mapped_column(String(200))
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    pause_requested: Mapped[bool] = mapped_column(default=False, server_default=false())

    epoch: Mapped[int] = mapped_column(default=0)
    epochs: Mapped[int]
    step: Mapped[int] = mapped_column(BigInteger, default=0)
    steps: Mapped[int] = mapped_column(BigInteger)
    metrics: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    event_seq: Mapped[int] = mapped_column(BigInteger, default=0)

    created_at: Mapped[int] = mapped_column(BigInteger, default=now_ms())
    started_at: Mapped[int | None] = mapped_column(BigInteger)
    finished_at: Mapped[int | None] = mapped_column(BigInteger)
    training_ms: Mapped[int] = mapped_column(BigInteger, default=0)  # that went into its steps
    spent_ms: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")  # all attempts

    __table_args__ = (
        CheckConstraint(f"status IN ({_KNOWN})", name="status_known"),
        CheckConstraint("(status = 'succeeded') = (model_id IS NOT NULL)", name="model_iff_done"),
        CheckConstraint(
            "(status = 'running') = (lease_until IS NOT NULL)", name="lease_iff_running"
        ),
        Index(None, "tenant", "id"),
        Index(None, "tenant", "status", "id"),
        Index(None, "tenant", "dataset_id", "id"),
        Index(
            "ix_jobs_claimable",
            priority.desc(),
            "id",
            sqlite_where=text("status IN ('queued', 'running')"),
            postgresql_where=text("status IN ('queued', 'running')"),
        ),
        # Not of lease_until: each heartbeat would then have to change the index.
        Index(
            "ix_jobs_running",
            "id",
            sqlite_where=text("status = 'running'"),
            postgresql_where=text("status = 'running'"),
        ),
    )


class TagRow(Row):
    """A tag of a job, for finding jobs by it."""

    __tablename__ = "job_tags"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    tenant: Mapped[TenantColumn]
    value: Mapped[str] = mapped_column(String(200))

    __table_args__ = (
        Index(None, "tenant", "key", "value", "job_id"),
        Index(None, "tenant", "key", "job_id"),
    )


def submit(
    session: Session,
    tenant: str,
    *,
    name: str,
    dataset_id: str,
    spec: dict[str, Any],
    steps: int,
) -> JobRow:
    """Put a job into the queue; `spec` is the resolved one, `steps` its optimizer steps."""
    job = JobRow(
        id=new_id("job"),
        tenant=tenant,
        name=name,
        dataset_id=dataset_id,
        spec=spec,
        priority=spec["priority"],
        epochs=spec["epochs"],
        steps=steps,
    )
    session.add(job)
    session.flush()
    for key, value in spec["tags"].items():
        session.add(TagRow(job_id=job.id, key=key, tenant=tenant, value=value))
    events.append(session, tenant, job.id, "status", {"status": Status.QUEUED})
    session.refresh(job)
    return job


def look(session: Session, tenant: str, job_id: str) -> JobRow | None:
    """The job, if there is one."""
    mine = select(JobRow).where(JobRow.tenant == tenant, JobRow.id == job_id)
    return session.scalars(mine).one_or_none()


def get(session: Session, tenant: str, job_id: str) -> JobRow:
    """The job; raises NotFound."""
    job = look(session, tenant, job_id)
    if job is None:
        raise NotFound("job", job_id)
    return job


def page(
    session: Session,
    tenant: str,
    cursor: str | None,
    limit: int,
    *,
    status: Status | None = None,
    dataset_id: str | None = None,
    tag: tuple[str, str | None] | None = None,
) -> Page[JobRow]:
    """Jobs, newest first. A `tag` is (key, value), or (key, None) for any value."""
    query = select(JobRow).where(JobRow.tenant == tenant)
    if status is not None:
        query = query.where(JobRow.status == status)
    if dataset_id is not None:
        query = query.where(JobRow.dataset_id == dataset_id)
    if tag is not None:
        key, value = tag
        tagged = query.join(TagRow, TagRow.job_id == JobRow.id)
        query = tagged.where(TagRow.tenant == tenant, TagRow.key == key)
        if value is not None:
            query = query.where(TagRow.value == value)
        # In the order of the tag's index, so that a page is read from it however many jobs there
        # are; in the jobs' own order a database would look at each job for the tag.
        return newest_first(session, query, TagRow.job_id, cursor, limit)
    return newest_first(session, query, JobRow.id, cursor, limit)


def needing(session: Session, tenant: str, dataset_id: str) -> str | None:
    """The id of an unfinished job that needs the dataset, if there is one."""
    return session.scalars(
        select(JobRow.id)
        .where(JobRow.tenant == tenant, JobRow.dataset_id == dataset_id)
        .where(JobRow.status.in_(ACTIVE))
        .limit(1)
    ).one_or_none()


def cancel(session: Session, tenant: str, job_id: str) -> JobRow:
    """Cancel at once while queued; ask the worker while running; a final job stays as it is."""
    job = _hold(session, tenant, job_id)
    if job.status in ACTIVE:
        job.cancel_requested = True
    if job.status in (Status.QUEUED, Status.PAUSED):
        session.execute(update(JobRow).where(JobRow.id == job_id).values(finished_at=now_ms()))
        checkpoints.remove(session, tenant, job_id)
        _move(session, job, Status.CANCELLED)
    return job


def pause(session: Session, tenant: str, job_id: str) -> JobRow:
    """Pause at once while queued; ask the worker while running. Raises Conflict for a final job."""
    job = _hold(session, tenant, job_id)
    if job.status in FINAL:
        raise Conflict(f"Job {job_id} is {job.status} and stays so; only an unfinished job pauses.")
    if job.status == Status.RUNNING:
        job.pause_requested = True
    elif job.status == Status.QUEUED:
        _move(session, job, Status.PAUSED)
    return job


def resume(session: Session, tenant: str, job_id: str) -> JobRow:
    """Put a paused job back into the queue. Raises Conflict for a final job."""
    job = _hold(session, tenant, job_id)
    if job.status in FINAL:
        raise Conflict(
            f"Job {job_id} is {job.status} and stays so. Train it anew with "
            f"POST /v1/jobs/{job_id}/retry."
        )
    job.pause_requested = False
    if job.status == Status.PAUSED:
        _move(session, job, Status.QUEUED)
    return job


def remove(session: Session, tenant: str, job_id: str) -> None:
    """Delete a final job with its history and events; raises NotFound or Conflict."""
    job = _hold(session, tenant, job_id)
    if job.status not in FINAL:
        raise Conflict(
            f"Job {job_id} is {job.status}; only a final job can be deleted. "
            f"Cancel it first with POST /v1/jobs/{job_id}/cancel."
        )
    session.delete(job)


def _move(session: Session, job: JobRow, status: Status) -> None:
    job.status = status
    session.flush()
    events.append(session, job.tenant, job.id, "status", {"status": status})
    session.refresh(job)


def _hold(session: Session, tenant: str, job_id: str) -> JobRow:
    """The job, which no worker can change until the transaction ends; raises NotFound."""
    mine = select(JobRow).where(JobRow.tenant == tenant, JobRow.id == job_id)
    job = session.scalars(mine.with_for_update()).one_or_none()
    if job is None:
        raise NotFound("job", job_id)
    return job
