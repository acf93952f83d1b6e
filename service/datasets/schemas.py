"""Datasets on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class DatasetCreate(BaseModel):
    """Data written out in JSON: `rows` as objects, or `arrays` as nested lists."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Name | None = None
    rows: list[Any] | None = None
    arrays: dict[str, Any] | None = None


class DatasetRead(BaseModel):
    """A dataset: `bytes` and `sha256` are those of the upload."""

    id: str
    name: str
    format: str
    bytes: int
    sha256: str
    rows: int
    columns: list[dict[str, Any]]
    created_at: str


class DatasetPage(BaseModel):
    """Datasets, newest first."""

    items: list[DatasetRead]
    next_cursor: str | None


class Rows(BaseModel):
    """The first rows of a dataset, as objects."""

    items: list[dict[str, Any]]
