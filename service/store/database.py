"""Engines and transactions, in one style for SQLite (WAL) and PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import BigInteger

from service.store import postgresql

BUSY_TIMEOUT_SECONDS = 5.0


class Row(DeclarativeBase):
    """Root of all table rows; constraints get stable names so that migrations can drop them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class now_ms(ColumnElement[int]):  # noqa: N801 - reads as the SQL function that it is
    """The database's clock: milliseconds since 1970 UTC. Hosts' clocks never decide a lease."""

    type = BigInteger()
    inherit_cache = True


@compiles(now_ms, "sqlite")
def _now_ms_sqlite(*_: Any, **__: Any) -> str:
    return (
        "(CAST(strftime('%s', 'now') AS INTEGER) * 1000"
        " + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER))"
    )


@compiles(now_ms, "postgresql")
def _now_ms_postgresql(*_: Any, **__: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


class Database:
    """An engine and its two kinds of transaction."""

    def __init__(self, url: str, *, patient: bool = False) -> None:
        """A `patient` one waits for a server that takes its time."""
        self.engine = _engine(url, patient)
        self._writing = self.engine.execution_options(gradserve_writing=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that never takes SQLite's write lock; nothing is committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _engine(url: str, patient: bool) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return postgresql.engine(url, patient=patient)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, pool_size=20)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin by itself; _begin_sqlite does
    _use_wal(connection)
    for pragma in (
        "synchronous=FULL",  # an accepted job survives a power cut
        "foreign_keys=ON",
        # Some builds write zeros over all that is deleted, which doubles a checkpoint's writing.
        "secure_delete=FAST",
        f"busy_timeout={int(BUSY_TIMEOUT_SECONDS * 1000)}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: Any) -> None:
    # Processes that open a new file together meet at this change of its mode, and SQLite answers
    # "locked" at once, whatever the busy timeout.
    give_up_at = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that first reads and then writes can fail at once with "database is
    # locked", whatever the busy timeout; a writer takes its lock at the start instead.
    writing = connection.get_execution_options().get("gradserve_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
