"""Uploaded data: what is known of it; its columns lie in a blob."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.errors import Conflict, NotFound
from service.store import blobs, jobs
from service.store.database import Row, now_ms
from service.store.identifiers import new_id
from service.store.pages import Page, newest_first
from service.store.tenants import TenantColumn


class DatasetRow(Row):
    """An immutable dataset."""

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant: Mapped[TenantColumn]
    name: Mapped[str] = mapped_column(String(200))
    format: Mapped[str] = mapped_column(String(20))
    bytes: Mapped[int] = mapped_column(BigInteger)  # of the upload
    sha256: Mapped[str] = mapped_column(String(64))  # of the upload
    rows: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    blob_id: Mapped[str] = mapped_column(ForeignKey("blobs.id"))
    created_at: Mapped[int] = mapped_column(BigInteger, default=now_ms())

    __table_args__ = (Index(None, "tenant", "id"),)


def add(
    session: Session,
    tenant: str,
    *,
    name: str,
    format: str,
    upload_bytes: int,
    upload_sha256: str,
    rows: int,
    columns: list[dict[str, Any]],
    data: bytes,
) -> DatasetRow:
    """Store a dataset and its encoded columns."""
    dataset = DatasetRow(
        id=new_id("ds"),
        tenant=tenant,
        name=name,
        format=format,
        bytes=upload_bytes,
        sha256=upload_sha256,
        rows=rows,
        columns=columns,
        blob_id=blobs.write(session, tenant, data).id,
    )
    session.add(dataset)
    session.flush()
    return dataset


def get(session: Session, tenant: str, dataset_id: str, *, hold: bool = False) -> DatasetRow:
    """The dataset; raises NotFound. With `hold` it stays until the transaction ends."""
    query = select(DatasetRow).where(DatasetRow.tenant == tenant, DatasetRow.id == dataset_id)
    if hold:
        query = query.with_for_update(read=True)
    dataset = session.scalars(query).one_or_none()
    if dataset is None:
        raise NotFound("dataset", dataset_id)
    return dataset


def page(session: Session, tenant: str, cursor: str | None, limit: int) -> Page[DatasetRow]:
    """Datasets, newest first."""
    query = select(DatasetRow).where(DatasetRow.tenant == tenant)
    return newest_first(session, query, DatasetRow.id, cursor, limit)


def data(session: Session, dataset: DatasetRow) -> bytes:
    """The encoded columns (`service.store.columns`)."""
    return blobs.read(session, dataset.tenant, dataset.blob_id)


def remove(session: Session, tenant: str, dataset_id: str) -> None:
    """Delete the dataset with its data; raises NotFound, or Conflict while a job needs it."""
    query = select(DatasetRow).where(DatasetRow.tenant == tenant, DatasetRow.id == dataset_id)
    dataset = session.scalars(query.with_for_update()).one_or_none()
    if dataset is None:
        raise NotFound("dataset", dataset_id)
    needed_by = jobs.needing(session, tenant, dataset_id)
    if needed_by is not None:
        raise Conflict(
            f"Job {needed_by} still needs dataset {dataset_id}. Wait for it, or cancel it with "
            f"POST /v1/jobs/{needed_by}/cancel."
        )
    session.delete(dataset)
    session.flush()
    blobs.remove(session, tenant, dataset.blob_id)
