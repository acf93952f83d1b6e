"""`gradserve migrate`: what it says, and what it says when the database does not let it."""

from __future__ import annotations

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from service.cli.failure import MISUSED, fail
from service.store import migrate
from service.store.database import Database


def bring_up_to_date(database_url: str) -> str:
    """Upgrade the schema; returns a sentence about what was done. Ends the process on failure."""
    try:
        shown = make_url(database_url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        fail(
            "the database URL cannot be understood; "
            "write it like postgresql+psycopg://user:password@host/name",
            MISUSED,
        )
    try:
        if _is_current(database_url):
            return f"{shown} already has the newest schema"
        migrate.upgrade(database_url)
    except (SQLAlchemyError, ImportError) as error:
        fail(f"cannot migrate {shown}: {_reason(error)}; check --database-url", MISUSED)
    return f"{shown} was brought to the newest schema"


def _is_current(database_url: str) -> bool:
    database = Database(database_url)
    try:
        with database.reading() as session:
            return migrate.is_current(session)
    finally:
        database.dispose()


def _reason(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(cause).partition("\n")[0]
