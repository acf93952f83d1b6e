"""Runs the scripts in one transaction, one process at a time."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from service.store.database import Database
from service.store.tables import metadata

# Any fixed number: two processes that start together must not both create the tables.
_LOCK = 7_239_011


def _run() -> None:
    database = Database(context.config.attributes["database_url"], patient=True)
    with database.writing() as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        context.configure(connection=connection, target_metadata=metadata)
        context.run_migrations()
    database.dispose()


_run()
