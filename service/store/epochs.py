"""A job's history: one row an epoch, the key forbids a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.store.database import Row
from service.store.tenants import TenantColumn


class EpochRow(Row):
    """What one epoch reported."""

    __tablename__ = "job_epochs"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # from 1
    tenant: Mapped[TenantColumn]
    step: Mapped[int] = mapped_column(BigInteger)
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON)


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What a worker says of an epoch; `history` has the metrics and how the step was taken."""

    number: int
    step: int
    metrics: dict[str, float]
    history: dict[str, float]


def last(session: Session, tenant: str, job_id: str) -> int:
    """The number of the last recorded epoch, 0 if there is none."""
    query = select(func.max(EpochRow.number))
    return session.scalar(query.where(EpochRow.tenant == tenant, EpochRow.job_id == job_id)) or 0


def find(session: Session, tenant: str, job_id: str, number: int) -> EpochRow | None:
    """One epoch."""
    mine = (EpochRow.tenant == tenant, EpochRow.job_id == job_id)
    return session.scalars(select(EpochRow).where(*mine, EpochRow.number == number)).one_or_none()


def add(session: Session, tenant: str, job_id: str, reports: Sequence[EpochReport]) -> None:
    """Record epochs; the key refuses one that is there."""
    rows = [
        {
            "job_id": job_id,
            "number": report.number,
            "tenant": tenant,
            "step": report.step,
            "metrics": report.history,
        }
        for report in reports
    ]
    if rows:
        session.execute(insert(EpochRow), rows)


def history(session: Session, tenant: str, job_id: str) -> Sequence[EpochRow]:
    """The job's epochs, first to last."""
    return session.scalars(
        select(EpochRow)
        .where(EpochRow.tenant == tenant, EpochRow.job_id == job_id)
        .order_by(EpochRow.number)
    ).all()
