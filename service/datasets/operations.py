"""Verbs on datasets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from sqlalchemy.orm import Session

from service.datasets.formats import (
    FormatError,
    ParsedDataset,
    ParseOptions,
    parse_arrays,
    parse_file,
    parse_rows,
)
from service.datasets.profile import profile_columns
from service.datasets.schemas import DatasetPage, DatasetRead, Rows
from service.datasets.uploads import Upload
from service.dependencies import Caller, PageQuery
from service.errors import Invalid, Mistake
from service.settings import Settings
from service.store import columns, datasets
from service.store.datasets import DatasetRow
from service.times import rfc3339


@dataclass(frozen=True, slots=True)
class Readied:
    """An upload that was understood, ready to be stored."""

    upload: Upload
    name: str
    format: str
    rows: int
    profile: list[dict[str, Any]]
    data: bytes


def ready(upload: Upload, settings: Settings) -> Readied:
    """Parse, describe and encode; raises Invalid with a pointer into the upload."""
    try:
        parsed = _parse(upload, settings)
    except FormatError as error:
        raise Invalid(Mistake(error.pointer, error.detail)) from error
    return Readied(
        upload,
        upload.name or PurePath(upload.file_name).name[:200] or "dataset",
        parsed.format,
        parsed.rows,
        profile_columns(parsed.columns, parsed.schema),
        columns.encode_columns(parsed.columns, parsed.schema),
    )


def add(session: Session, who: Caller, readied: Readied) -> DatasetRead:
    """Store a readied upload."""
    row = datasets.add(
        session,
        who.tenant,
        name=readied.name,
        format=readied.format,
        upload_bytes=readied.upload.bytes,
        upload_sha256=readied.upload.sha256,
        rows=readied.rows,
        columns=readied.profile,
        data=readied.data,
    )
    return _read(row)


def get(session: Session, who: Caller, dataset_id: str) -> DatasetRead:
    """The dataset; raises NotFound."""
    return _read(datasets.get(session, who.tenant, dataset_id))


def page(session: Session, who: Caller, where: PageQuery) -> DatasetPage:
    """Datasets, newest first."""
    rows = datasets.page(session, who.tenant, where.cursor, where.limit)
    return DatasetPage(items=[_read(row) for row in rows.items], next_cursor=rows.next_cursor)


def head(session: Session, who: Caller, dataset_id: str, limit: int) -> Rows:
    """The first rows."""
    data = datasets.data(session, datasets.get(session, who.tenant, dataset_id))
    return Rows(items=columns.head(data, limit))


def remove(session: Session, who: Caller, dataset_id: str) -> None:
    """Delete the dataset unless an unfinished job needs it."""
    datasets.remove(session, who.tenant, dataset_id)


def _parse(upload: Upload, settings: Settings) -> ParsedDataset:
    document = upload.document
    if document is not None:
        if document.rows is not None:
            return parse_rows(document.rows)
        return parse_arrays(document.arrays or {})
    options = ParseOptions(upload.schema, upload.header, settings.max_dataset_bytes)
    return parse_file(upload.file, upload.file_name, upload.format, options)


def _read(row: DatasetRow) -> DatasetRead:
    return DatasetRead(
        id=row.id,
        name=row.name,
        format=row.format,
        bytes=row.bytes,
        sha256=row.sha256,
        rows=row.rows,
        columns=row.columns,
        created_at=rfc3339(row.created_at),
    )
