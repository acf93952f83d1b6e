"""Where runs can go on: the training state of a job now and then, the last two kept."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.store import blobs
from service.store.database import Row, now_ms
from service.store.tenants import TenantColumn

KEPT = 2  # one more than the last, in case its bytes are damaged


class CheckpointRow(Row):
    """One state of a run; its bytes and their SHA-256 lie in a blob."""

    __tablename__ = "job_checkpoints"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    tenant: Mapped[TenantColumn]
    blob_id: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[int] = mapped_column(BigInteger, default=now_ms())


def add(session: Session, tenant: str, job_id: str, step: int, state: bytes) -> None:
    """Keep a state and drop those that are older than the last kept; one for each step."""
    kept = newest_first(session, tenant, job_id)
    for row in [row for row in kept if row.step == step] + list(kept[KEPT - 1 :]):
        _drop(session, row)
    blob = blobs.write(session, tenant, state)
    session.add(CheckpointRow(job_id=job_id, step=step, tenant=tenant, blob_id=blob.id))
    session.flush()


def newest_first(session: Session, tenant: str, job_id: str) -> Sequence[CheckpointRow]:
    """The job's checkpoints, the furthest first."""
    return session.scalars(
        select(CheckpointRow)
        .where(CheckpointRow.tenant == tenant, CheckpointRow.job_id == job_id)
        .order_by(CheckpointRow.step.desc())
    ).all()


def read(session: Session, row: CheckpointRow) -> bytes:
    """The state's bytes; raises Damaged if they are not what was written."""
    return blobs.read(session, row.tenant, row.blob_id)


def remove(session: Session, tenant: str, job_id: str) -> None:
    """Drop all of a job's checkpoints."""
    for row in newest_first(session, tenant, job_id):
        _drop(session, row)


def _drop(session: Session, row: CheckpointRow) -> None:
    blob_id, tenant = row.blob_id, row.tenant
    if row in session:
        session.delete(row)
        session.flush()
    blobs.remove(session, tenant, blob_id)
