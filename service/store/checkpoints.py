"""Where runs can go on: the training state of a job now and then, the last two kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, ForeignKey, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.store import blobs
from service.store.database import Row, now_ms
from service.store.tenants import TenantColumn

KEPT = 2  # one more than the last, in case its bytes are damaged


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `training_ms` is the time that its steps took, in whichever attempt."""

    epoch: int
    step: int
    training_ms: int


class CheckpointRow(Row):
    """One state of a run; its bytes and their SHA-256 lie in a blob."""

    __tablename__ = "job_checkpoints"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    step: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    tenant: Mapped[TenantColumn]
    blob_id: Mapped[str] = mapped_column(String(40))
    epoch: Mapped[int]
    training_ms: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger, default=now_ms())

    @property
    def progress(self) -> Progress:
        """How far the run was."""
        return Progress(self.epoch, self.step, self.training_ms)


def add(session: Session, tenant: str, job_id: str, at: Progress, state: bytes) -> None:
    """Keep a state and the one before it.

    States of this step or later ones are dropped: whoever writes had not gone on from them.
    """
    kept = newest_first(session, tenant, job_id)
    earlier = [row for row in kept if row.step < at.step]
    _drop(session, [row for row in kept if row not in earlier[: KEPT - 1]])
    blob = blobs.write(session, tenant, state)
    session.add(
        CheckpointRow(
            job_id=job_id,
            step=at.step,
            tenant=tenant,
            blob_id=blob.id,
            epoch=at.epoch,
            training_ms=at.training_ms,
        )
    )
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
    _drop(session, newest_first(session, tenant, job_id))


def _drop(session: Session, rows: Sequence[CheckpointRow]) -> None:
    for row in rows:
        session.execute(
            delete(CheckpointRow)
            .where(CheckpointRow.job_id == row.job_id, CheckpointRow.step == row.step)
            .execution_options(synchronize_session=False)
        )
        blobs.remove(session, row.tenant, row.blob_id)
