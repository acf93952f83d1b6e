"""A job's events, numbered from 1 without gaps: what a stream sends and a client resumes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import JSON, BigInteger, ForeignKey, String, delete, insert, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.store.database import Row, now_ms
from service.store.tenants import TenantColumn

Kind = Literal["status", "progress", "epoch", "log"]


class EventRow(Row):
    """Something that happened to a job."""

    __tablename__ = "job_events"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    tenant: Mapped[TenantColumn]
    kind: Mapped[str] = mapped_column(String(10))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[int] = mapped_column(BigInteger, default=now_ms())


def append(session: Session, tenant: str, job_id: str, kind: Kind, *data: dict[str, Any]) -> None:
    """Append an event for each `data`, numbered from the job's row, whose lock orders writers."""
    if not data:
        return
    last = session.execute(
        text(
            "UPDATE jobs SET event_seq = event_seq + :count"
            " WHERE id = :job_id AND tenant = :tenant RETURNING event_seq"
        ),
        {"count": len(data), "job_id": job_id, "tenant": tenant},
    ).scalar_one()
    first = last - len(data) + 1
    session.execute(
        insert(EventRow),
        [
            {"job_id": job_id, "seq": seq, "tenant": tenant, "kind": kind, "data": each}
            for seq, each in enumerate(data, first)
        ],
    )
    if kind == "progress":
        # Only the latest progress tells anything; a long job must not leave a row a beat.
        session.execute(
            delete(EventRow).where(
                EventRow.job_id == job_id, EventRow.kind == "progress", EventRow.seq < first
            )
        )


def after(
    session: Session, tenant: str, job_id: str, seq: int, limit: int = 500
) -> Sequence[EventRow]:
    """The job's events with a higher number than `seq`, in order."""
    return session.scalars(
        select(EventRow)
        .where(EventRow.tenant == tenant, EventRow.job_id == job_id, EventRow.seq > seq)
        .order_by(EventRow.seq)
        .limit(limit)
    ).all()
