"""What a client sends to become a dataset: a multipart form with a file, or JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from io import BytesIO
from typing import Any, BinaryIO

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from service.datasets.schemas import DatasetCreate
from service.errors import (
    BadDocument,
    GradserveError,
    Invalid,
    Mistake,
    UnsupportedMedia,
    escape,
)
from service.strict_json import loads

FORM_FIELDS = ("file", "name", "format", "schema", "header")
MAX_FORM_FIELD_BYTES = 2**20
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """A received upload: either a `file` or a JSON `document`."""

    name: str | None
    bytes: int
    sha256: str
    document: DatasetCreate | None = None
    file: BinaryIO = field(default_factory=BytesIO)
    file_name: str = ""
    format: str | None = None
    schema: dict[str, str] = field(default_factory=dict)
    header: bool = True

    @property
    def identity(self) -> str:
        """What tells this upload from another one."""
        told = (self.name, self.sha256, self.file_name, self.format, self.schema, self.header)
        return json.dumps(told, sort_keys=True)


async def receive(request: Request) -> AsyncIterator[Upload]:
    """A dependency: the upload, whichever way it is sent; its file is closed with the request.

    Raises:
        UnsupportedMedia: neither a form nor JSON.
        Invalid: fields that are missing, unknown or of the wrong kind.
    """
    kind = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        form = await _form(request)
        try:
            yield _from_form(form)
        finally:
            await form.close()
    elif kind == "application/json" or kind.endswith("+json"):
        yield _from_document(await request.json(), await request.body())
    else:
        raise UnsupportedMedia(
            f"The body is {kind}; send a file as multipart/form-data "
            "(curl -F file=@data.csv) or rows as application/json."
        )


async def _form(request: Request) -> FormData:
    try:
        return await request.form(
            max_files=1, max_fields=len(FORM_FIELDS), max_part_size=MAX_FORM_FIELD_BYTES
        )
    except HTTPException as error:
        if error.status_code != 400:
            raise
        raise BadDocument(Mistake("", f"the form cannot be read: {error.detail}")) from error


def _from_form(form: FormData) -> Upload:
    unknown = next((key for key in form if key not in FORM_FIELDS), None)
    if unknown is not None:
        known = ", ".join(FORM_FIELDS)
        raise Invalid(
            Mistake(f"/{escape(unknown)}", f"unknown field; the form's fields are {known}")
        )
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise Invalid(Mistake("/file", "no file was sent; use curl -F file=@data.csv"))
    digest = file_digest(file.file, "sha256").hexdigest()  # type: ignore[arg-type]  # is seekable
    size = file.file.tell()
    file.file.seek(0)
    header = _text(form, "header") or "true"
    if header not in ("true", "false"):
        raise Invalid(Mistake("/header", "must be true or false"))
    return Upload(
        name=_name(_text(form, "name")),
        bytes=size,
        sha256=digest,
        file=file.file,
        file_name=(file.filename or "").replace("\0", ""),
        format=_text(form, "format"),
        schema=_schema(_text(form, "schema")),
        header=header == "true",
    )


def _text(form: FormData, field_name: str) -> str | None:
    values = form.getlist(field_name)
    if len(values) > 1:
        raise Invalid(Mistake(f"/{field_name}", "is given twice; give it once"))
    value = values[0] if values else ""
    if isinstance(value, UploadFile):
        raise Invalid(Mistake(f"/{field_name}", "must be a text field, not a file"))
    if "\0" in value:
        raise Invalid(Mistake(f"/{field_name}", "holds the character U+0000, which is no text"))
    return value or None


def _name(text: str | None) -> str | None:
    if text is not None and len(text) > MAX_NAME:
        raise Invalid(Mistake("/name", f"has {len(text)} characters, at most {MAX_NAME} are kept"))
    return text


def _schema(text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    try:
        schema: Any = loads(text.encode())
    except GradserveError as error:
        raise Invalid(Mistake("/schema", f"is not JSON: {error.detail}")) from error
    if not isinstance(schema, dict):
        raise Invalid(Mistake("/schema", 'must be an object such as {"zip": "category"}'))
    for name, kind in schema.items():
        if not isinstance(kind, str):
            raise Invalid(Mistake(f"/schema/{escape(name)}", "must be the name of a type"))
    return schema


def _from_document(document: Any, body: bytes) -> Upload:
    try:
        parsed = DatasetCreate.model_validate(document)
    except ValidationError as error:
        found = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(found) from error
    if (parsed.rows is None) == (parsed.arrays is None):
        raise Invalid(
            Mistake("", 'give either "rows": [{"column": value}] or "arrays": {"x": [...]}')
        )
    return Upload(parsed.name, len(body), sha256(body).hexdigest(), document=parsed)
