"""A PostgreSQL that falls silent: nothing waits for it for long."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import column, insert, table, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InternalError, OperationalError

from service.store import postgresql
from service.store.database import Database
from tests.faults.proxy import Proxy


@pytest.fixture
def proxy(postgres_url):
    url = make_url(postgres_url)
    with Proxy((url.host, url.port)) as proxy:
        yield proxy


@pytest.fixture
def remote(postgres_url, proxy):
    """The database behind the proxy, with limits that a test can wait for."""
    url = make_url(postgres_url).set(port=proxy.port)
    database = Database(url.render_as_string(hide_password=False))
    yield database
    database.dispose()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(postgresql, "PING_SECONDS", 1.0)
    monkeypatch.setattr(postgresql, "SILENCE_SECONDS", 2.0)


def one(database):
    with database.reading() as session:
        return session.scalar(text("SELECT 1"))


def test_a_healthy_connection_is_used_again(remote):
    def backend():
        with remote.reading() as session:
            return session.scalar(text("SELECT pg_backend_pid()"))

    assert backend() == backend()


def test_a_pooled_connection_that_hangs_is_replaced(remote, proxy, impatient):
    one(remote)
    assert proxy.hang(fresh=False) == 1
    began = time.monotonic()
    assert one(remote) == 1
    assert time.monotonic() - began < 10


def test_a_statement_that_is_not_answered_is_given_up(remote, proxy, impatient):
    with remote.reading() as session:
        session.scalar(text("SELECT 1"))
        proxy.hang(fresh=False)
        with pytest.raises(OperationalError, match="said nothing"):
            session.scalar(text("SELECT 2"))
    assert one(remote) == 1


def test_a_commit_that_is_not_answered_is_given_up(remote, proxy, impatient):
    def commit():
        with remote.writing() as session:
            session.execute(text("SELECT 1"))
            proxy.hang(fresh=False)

    with pytest.raises(OperationalError, match="said nothing"):
        commit()


def test_a_long_answer_is_no_silence(remote, impatient):
    # A row every 0.5 seconds, each wide enough to be sent at once.
    rows = text(
        "SELECT repeat(g::text, 100000) FROM generate_series(1, 6) g, LATERAL pg_sleep(0.5 + 0*g)"
    )
    with remote.reading() as session:
        assert len(session.scalars(rows).all()) == 6


def test_many_callers_of_a_server_that_hangs_wait_no_longer_than_one(remote, proxy, impatient):
    one(remote)
    proxy.hang(fresh=True)

    def attempt(_):
        began = time.monotonic()
        with pytest.raises(OperationalError):
            one(remote)
        return time.monotonic() - began

    with ThreadPoolExecutor(10) as callers:
        waits = list(callers.map(attempt, range(60)))
    assert max(waits) < postgresql.CONNECT_SECONDS * 2
    assert sorted(waits)[40] < postgresql.CONNECT_SECONDS / 2
    proxy.pass_on()
    assert one(remote) == 1


def test_a_patient_database_waits_for_a_server_that_takes_its_time(postgres_url, impatient):
    database = Database(postgres_url, patient=True)
    with database.reading() as session:
        session.execute(text("SELECT pg_sleep(2.5)"))
    database.dispose()


def test_locks_of_a_client_that_stands_still_are_let_go_of(postgres_url, monkeypatch):
    monkeypatch.setitem(postgresql.SESSION, "idle_in_transaction_session_timeout", 1500)
    still, other = Database(postgres_url), Database(postgres_url)
    lock = text("LOCK TABLE jobs")
    with still.reading() as session:
        session.execute(lock)
        with other.reading() as another:
            another.execute(lock)
        with pytest.raises((InternalError, OperationalError)):
            session.execute(lock)
    for database in (still, other):
        database.dispose()


def test_locks_of_a_client_that_vanished_after_many_rows_are_let_go_of(
    postgres_url, remote, proxy, monkeypatch
):
    monkeypatch.setitem(postgresql.SESSION, "idle_in_transaction_session_timeout", 1500)
    behind = remote.engine.url.render_as_string(hide_password=False)
    here, gone = Database(postgres_url), Database(behind)
    rows = [{"name": name} for name in "abc"]
    with here.writing() as session:
        session.execute(text("CREATE TABLE names (name text UNIQUE)"))
    with gone.reading() as session:
        session.execute(insert(table("names", column("name"))), rows)
        proxy.hang(fresh=False)
        with monkeypatch.context() as patch:
            patch.setattr(postgresql, "SILENCE_SECONDS", 0.3)
            with pytest.raises(OperationalError):
                session.execute(text("SELECT 1"))
    with here.writing() as session:
        session.execute(insert(table("names", column("name"))), rows)
    for database in (here, gone):
        database.dispose()
