"""Links to PostgreSQL that end: a server that says nothing for long is given up.

Its own limits (`statement_timeout`) help nobody whom its answers do not reach: a connection whose
other end lost its power stays open, and a read from it waits for ever.
"""

from __future__ import annotations

import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Engine, create_engine, event

from service.store.outage import Outage, StillAwayError

CONNECT_SECONDS = 3
PING_SECONDS = 1.0
# Together with the ping of a pooled connection or the making of a fresh one, below 5 seconds.
SILENCE_SECONDS = 4.0
POOL_SIZE = 20
MOST_CONNECTIONS = 50  # more than a process has threads: none waits for a connection
SESSION = {
    "statement_timeout": 30_000,
    # Locks of a client that has vanished are let go of.
    "idle_in_transaction_session_timeout": 15_000,
}

Result = TypeVar("Result")


class SilentError(psycopg.OperationalError):
    """The server has said nothing for too long."""


class Link(psycopg.Connection[Any]):
    """A connection that closes itself when the server falls silent."""

    def wait(self, gen: PQGen[Result], *arguments: Any, **options: Any) -> Result:
        """Wait for an operation as the driver does, but not through a long silence."""
        # The pool pings in autocommit, and nothing else here does.
        seconds = PING_SECONDS if self.autocommit else SILENCE_SECONDS
        try:
            return super().wait(_unless_silent(gen, seconds), *arguments, **options)
        except SilentError:
            self.pgconn.finish()  # its answer may come later, and must not be taken for another
            raise


def engine(url: str, *, patient: bool) -> Engine:
    """An engine whose transactions fail within seconds where the server does not answer.

    With `patient`, the server may take its time: for a migration, which may wait for a lock.
    """
    options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    made = create_engine(
        url,
        pool_pre_ping=True,
        pool_size=POOL_SIZE,
        max_overflow=MOST_CONNECTIONS - POOL_SIZE,
        pool_timeout=CONNECT_SECONDS,
        connect_args={"connect_timeout": CONNECT_SECONDS, "options": options},
    )
    # The driver sends `executemany` as a pipeline, after which the server ends no transaction that
    # stands idle (seen with PostgreSQL 15): its locks would outlive a client that vanished.
    made.dialect.use_insertmanyvalues_wo_returning = True
    if not patient:
        _give_silence_up(made)
    return made


def _give_silence_up(made: Engine) -> None:
    outage = Outage()

    def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Link:
        try:
            with outage.trying():
                return Link.connect(*arguments, **options)
        except StillAwayError as away:
            raise psycopg.OperationalError(str(away)) from away

    event.listen(made, "do_connect", connect)


def _unless_silent(gen: PQGen[Result], seconds: float) -> PQGen[Result]:
    """The same operation; raises SilentError when the link did nothing for so long."""
    heard = time.monotonic()
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if ready:
                heard = time.monotonic()
            elif time.monotonic() - heard > seconds:
                raise SilentError(f"the database has said nothing for {seconds:g} s")
            wanted = gen.send(ready)
    except StopIteration as done:
        result: Result = done.value
        return result
