"""A job's history: one row an epoch, the key forbids a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, select
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


def history(session: Session, tenant: str, job_id: str) -> Sequence[EpochRow]:
    """The job's epochs, first to last."""
    return session.scalars(
        select(EpochRow)
        .where(EpochRow.tenant == tenant, EpochRow.job_id == job_id)
        .order_by(EpochRow.number)
    ).all()
