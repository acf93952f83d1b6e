"""What endpoints ask for: the caller, a transaction, a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from sqlalchemy.orm import Session

from service.broker import Bell
from service.errors import UnsupportedMedia
from service.settings import Settings
from service.store.database import Database
from service.store.tenants import DEFAULT_TENANT


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; everything that an operation reads or writes belongs to the tenant."""

    tenant: str


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which part of a list."""

    limit: int
    cursor: str | None


def caller() -> Caller:
    """The caller: everybody is the one default tenant until there are keys."""
    return Caller(DEFAULT_TENANT)


def database(request: Request) -> Database:
    """The application's database."""
    found: Database = request.app.state.database
    return found


def bell(request: Request) -> Bell:
    """The application's line to the workers."""
    found: Bell = request.app.state.bell
    return found


def settings(request: Request) -> Settings:
    """The application's settings."""
    found: Settings = request.app.state.settings
    return found


DatabaseDep = Annotated[Database, Depends(database)]
SettingsDep = Annotated[Settings, Depends(settings)]
BellDep = Annotated[Bell, Depends(bell)]
CallerDep = Annotated[Caller, Depends(caller)]


def _reading(database: DatabaseDep) -> Iterator[Session]:
    with database.reading() as session:
        yield session


def _writing(database: DatabaseDep) -> Iterator[Session]:
    with database.writing() as session:
        yield session


# scope="function" ends the transaction before the answer is sent, so a commit that fails is told.
ReadSession = Annotated[Session, Depends(_reading, scope="function")]
WriteSession = Annotated[Session, Depends(_writing, scope="function")]


def _page(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=r"^[a-z]+_[0-9a-z]{26}$")] = None,
) -> PageQuery:
    return PageQuery(limit, cursor)


PageDep = Annotated[PageQuery, Depends(_page)]


def json_only(request: Request) -> None:
    """Refuse a body that does not call itself JSON; no content type counts as JSON."""
    kind = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMedia(
            f"The body is {kind}; send JSON with the header Content-Type: application/json."
        )
