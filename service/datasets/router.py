"""`/v1/datasets`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy.orm import Session

from service.datasets import operations
from service.datasets.schemas import DatasetCreate, DatasetPage, DatasetRead, Rows
from service.datasets.uploads import Upload, receive
from service.dependencies import CallerDep, PageDep, ReadSession, SettingsDep, WriteSession
from service.idempotency import Created, OnceDep
from service.strict_json import StrictRoute

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], route_class=StrictRoute)

# Written out, since one path takes two kinds of body.
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "name": {"type": "string", "maxLength": 200},
                        "format": {"type": "string"},
                        "schema": {"type": "string", "description": 'JSON: {"zip": "category"}'},
                        "header": {"type": "string", "enum": ["true", "false"]},
                    },
                }
            },
            "application/json": {"schema": DatasetCreate.model_json_schema()},
        },
    }
}


@router.post("", status_code=201, response_model=DatasetRead, openapi_extra=_BODY)
def create_dataset(
    upload: Annotated[Upload, Depends(receive)],
    who: CallerDep,
    once: OnceDep,
    settings: SettingsDep,
) -> Response:
    """Upload a dataset: a file as a form, or rows or arrays as JSON."""
    readied = operations.ready(upload, settings)

    def make(session: Session) -> Created:
        dataset = operations.add(session, who, readied)
        return Created(f"/v1/datasets/{dataset.id}", dataset.model_dump())

    return once.create(201, upload.identity, make)


@router.get("")
def list_datasets(who: CallerDep, session: ReadSession, page: PageDep) -> DatasetPage:
    """Datasets, newest first."""
    return operations.page(session, who, page)


@router.get("/{dataset_id}")
def get_dataset(dataset_id: str, who: CallerDep, session: ReadSession) -> DatasetRead:
    """A dataset and the profile of its columns."""
    return operations.get(session, who, dataset_id)


@router.get("/{dataset_id}/rows")
def get_rows(
    dataset_id: str,
    who: CallerDep,
    session: ReadSession,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Rows:
    """The first rows, as they were understood."""
    return operations.head(session, who, dataset_id, limit)


@router.delete("/{dataset_id}", status_code=204)
def delete_dataset(dataset_id: str, who: CallerDep, session: WriteSession) -> None:
    """Delete a dataset that no unfinished job needs."""
    operations.remove(session, who, dataset_id)
