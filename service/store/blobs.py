"""Large bytes in SQL, in chunks of a few MiB: weights and the columns of datasets."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.errors import Damaged
from service.store.database import Row
from service.store.identifiers import new_id
from service.store.tenants import TenantColumn

CHUNK_BYTES = 4 * 2**20


class BlobRow(Row):
    """One immutable byte string."""

    __tablename__ = "blobs"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    tenant: Mapped[TenantColumn]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))


class ChunkRow(Row):
    """A part of a blob; `number` counts from 0."""

    __tablename__ = "blob_chunks"

    blob_id: Mapped[str] = mapped_column(
        ForeignKey("blobs.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


def write(session: Session, tenant: str, data: bytes) -> BlobRow:
    """Store `data`; it becomes visible with the caller's commit."""
    blob = BlobRow(
        id=new_id("blob"), tenant=tenant, size=len(data), sha256=sha256(data).hexdigest()
    )
    session.add(blob)
    session.flush()
    view = memoryview(data)
    for number, start in enumerate(range(0, len(data), CHUNK_BYTES)):
        chunk = bytes(view[start : start + CHUNK_BYTES])
        session.add(ChunkRow(blob_id=blob.id, number=number, data=chunk))
        session.flush()
        session.expunge_all()  # a flushed chunk need not stay in memory
    return blob


def read(session: Session, tenant: str, blob_id: str) -> bytes:
    """The bytes as written.

    Raises:
        Damaged: a chunk is missing or the hash differs.
    """
    blob = session.scalars(
        select(BlobRow).where(BlobRow.id == blob_id, BlobRow.tenant == tenant)
    ).one_or_none()
    if blob is None:
        raise Damaged(f"blob {blob_id} is missing")
    chunks = select(ChunkRow.data).where(ChunkRow.blob_id == blob_id).order_by(ChunkRow.number)
    data = b"".join(session.scalars(chunks))
    if sha256(data).hexdigest() != blob.sha256:
        raise Damaged(f"the bytes of blob {blob_id} do not match their SHA-256")
    return data


def remove(session: Session, tenant: str, blob_id: str) -> None:
    """Delete a blob with its chunks."""
    session.execute(delete(BlobRow).where(BlobRow.id == blob_id, BlobRow.tenant == tenant))
