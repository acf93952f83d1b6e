"""Is it alive, can it serve."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from service.dependencies import BellDep, DatabaseDep
from service.errors import Unavailable
from service.store import migrate
from service.store.database import Database

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Whether the process answers at all."""
    return {"status": "alive"}


@router.get("/readyz")
def ready(database: DatabaseDep, bell: BellDep) -> JSONResponse:
    """Whether requests can be served. Without a broker they can: jobs are kept and wait."""
    checks = {"database": _database(database), "broker": "ok"}
    if checks["database"] != "ok":
        raise Unavailable(f"Not ready: the database {checks['database']}.")
    if not bell.answers():
        checks["broker"] = "does not answer; jobs are accepted and wait for it"
    status = "ready" if checks["broker"] == "ok" else "degraded"
    answer: dict[str, Any] = {"status": status, "checks": checks}
    return JSONResponse(answer)


def _database(database: Database) -> str:
    try:
        with database.reading() as session:
            current = migrate.is_current(session)
    except SQLAlchemyError:
        return "does not answer"
    return "ok" if current else "has an old schema; run `gradserve migrate`"
