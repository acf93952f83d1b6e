"""Idempotency keys: the first answer of a request, committed together with what it created."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.store.database import Row, now_ms
from service.store.tenants import TenantColumn


class IdempotencyRow(Row):
    """One answered request."""

    __tablename__ = "idempotency_keys"

    tenant: Mapped[TenantColumn] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(String(64))  # of method, path and body
    status: Mapped[int]
    location: Mapped[str] = mapped_column(String(200))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[int] = mapped_column(BigInteger, default=now_ms())


def find(session: Session, tenant: str, key: str) -> IdempotencyRow | None:
    """What was answered to the key, if anything."""
    return session.scalars(
        select(IdempotencyRow).where(IdempotencyRow.tenant == tenant, IdempotencyRow.key == key)
    ).one_or_none()


def record(session: Session, row: IdempotencyRow) -> None:
    """Remember an answer; the table refuses a second one for the same key."""
    session.add(row)
    session.flush()
