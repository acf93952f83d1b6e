"""The OpenAPI document: FastAPI's, with the schemas that nncore derives from its dataclasses."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from nncore import TrainingConfig
from nncore.documents import json_schema
from nncore.plan import NetworkSpec

COMPONENTS = "#/components/schemas/"


def install(app: FastAPI) -> None:
    """Make `app.openapi()` give the whole document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = document["components"]["schemas"]
    job = schemas["JobCreate"]
    for cls in (TrainingConfig, NetworkSpec):
        schemas |= json_schema(cls, COMPONENTS)["$defs"]
    job["properties"] |= schemas.pop("TrainingConfig")["properties"]
    job["properties"]["network"] = {"$ref": COMPONENTS + "NetworkSpec"}
    job["additionalProperties"] = False
    return document
