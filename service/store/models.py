"""Models: a network, its weights and its fitted preprocessing, callable."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.errors import NotFound
from service.store import blobs
from service.store.database import Row, now_ms
from service.store.identifiers import new_id
from service.store.pages import Page, newest_first
from service.store.tenants import TenantColumn


class ModelRow(Row):
    """What a succeeded job leaves. `weights_id` names a safetensors blob."""

    __tablename__ = "models"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant: Mapped[TenantColumn]
    name: Mapped[str] = mapped_column(String(200))
    task: Mapped[str] = mapped_column(String(30))
    network: Mapped[dict[str, Any]] = mapped_column(JSON)
    preprocessing: Mapped[dict[str, Any]] = mapped_column(JSON)  # {"inputs": ..., "target": ...}
    metrics: Mapped[dict[str, float]] = mapped_column(JSON)
    lineage: Mapped[dict[str, Any]] = mapped_column(JSON)
    weights_id: Mapped[str] = mapped_column(ForeignKey("blobs.id"))
    job_id: Mapped[str | None] = mapped_column(String(40))  # stays when the job is deleted
    created_at: Mapped[int] = mapped_column(BigInteger, default=now_ms())

    __table_args__ = (Index(None, "tenant", "id"), UniqueConstraint("job_id"))


def add(
    session: Session,
    tenant: str,
    *,
    name: str,
    task: str,
    network: dict[str, Any],
    preprocessing: dict[str, Any],
    metrics: dict[str, float],
    lineage: dict[str, Any],
    weights: bytes,
    job_id: str | None,
) -> ModelRow:
    """Store a model; a second one for the same job is refused by the table."""
    blob = blobs.write(session, tenant, weights)
    model = ModelRow(
        id=new_id("model"),
        tenant=tenant,
        name=name,
        task=task,
        network=network,
        preprocessing=preprocessing,
        metrics=metrics,
        lineage={**lineage, "weights_sha256": blob.sha256},
        weights_id=blob.id,
        job_id=job_id,
    )
    session.add(model)
    session.flush()
    return model


def get(session: Session, tenant: str, model_id: str) -> ModelRow:
    """The model; raises NotFound."""
    model = session.scalars(
        select(ModelRow).where(ModelRow.tenant == tenant, ModelRow.id == model_id)
    ).one_or_none()
    if model is None:
        raise NotFound("model", model_id)
    return model


def page(session: Session, tenant: str, cursor: str | None, limit: int) -> Page[ModelRow]:
    """Models, newest first."""
    query = select(ModelRow).where(ModelRow.tenant == tenant)
    return newest_first(session, query, ModelRow.id, cursor, limit)


def remove(session: Session, tenant: str, model_id: str) -> None:
    """Delete the model with its weights; raises NotFound."""
    model = get(session, tenant, model_id)
    session.delete(model)
    session.flush()
    blobs.remove(session, tenant, model.weights_id)
