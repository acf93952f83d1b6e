"""Runs that lose their lease to an outage of the database, which is no fault of theirs."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import OperationalError

from service.store import jobs
from service.store.tenants import DEFAULT_TENANT
from service.store.transitions import Status
from tests.service.rows import claim, read, take_over, write
from tests.waiting import wait_until
from worker.giving_back import give_back
from worker.run import run

LEASE_SECONDS = 3.0


class Leaving:
    """A database that can go away."""

    def __init__(self, database):
        self._database = database
        self.away = threading.Event()
        self.calls = 0  # while it was away
        self.lost = threading.Event()  # the run has given up its lease

    @contextmanager
    def _transaction(self, make):
        if self.away.is_set():
            self.calls += 1
            raise OperationalError("SELECT 1", {}, Exception("the database is away"))
        with make() as session:
            yield session

    def reading(self):
        return self._transaction(self._database.reading)

    def writing(self):
        return self._transaction(self._database.writing)


@pytest.fixture
def running(sqlite, submit, settings, monkeypatch):
    """An endless run in a thread of its own, on a database that can go away."""
    submit(sqlite, epochs=1_000_000)
    held = write(sqlite, claim, lease_seconds=LEASE_SECONDS)
    database, over = Leaving(sqlite), threading.Event()
    quick = settings.model_copy(update={"lease_seconds": LEASE_SECONDS})

    def noted(*arguments):
        database.lost.set()
        give_back(*arguments)

    monkeypatch.setattr("worker.run.give_back", noted)
    thread = threading.Thread(target=run, args=(database, held, quick, over.is_set))
    thread.start()
    wait_until(lambda: row_of(sqlite, held).step > 0, 60, "the run has begun")
    yield database, held, thread
    over.set()
    database.away.clear()
    thread.join()


def row_of(database, held):
    return read(database, jobs.get, DEFAULT_TENANT, held.job_id)


def outlast_the_lease(database):
    database.away.set()
    assert database.lost.wait(60)


def test_a_job_that_lost_its_lease_to_an_outage_waits_again_and_pays_no_attempt(sqlite, running):
    database, held, thread = running
    outlast_the_lease(database)
    assert (row_of(sqlite, held).status, row_of(sqlite, held).attempt) == (Status.RUNNING, 1)
    database.away.clear()
    thread.join(60)
    assert (row_of(sqlite, held).status, row_of(sqlite, held).attempt) == (Status.QUEUED, 0)


def test_a_job_that_another_took_over_meanwhile_is_left_alone(sqlite, running):
    database, held, thread = running
    outlast_the_lease(database)
    taken = write(sqlite, take_over, held.job_id)
    database.away.clear()
    thread.join(60)
    row = row_of(sqlite, held)
    assert (row.status, row.worker, row.token) == (Status.RUNNING, "elm", taken.token)


def test_a_worker_that_is_told_to_stop_waits_for_no_database(sqlite, submit, settings):
    submit(sqlite, epochs=1_000_000)
    held = write(sqlite, claim, lease_seconds=LEASE_SECONDS)
    database = Leaving(sqlite)
    quick = settings.model_copy(update={"lease_seconds": LEASE_SECONDS})
    database.away.set()
    run(database, held, quick, lambda: database.calls > 5)
    assert row_of(sqlite, held).status == Status.RUNNING


def test_a_lease_that_the_run_itself_did_not_renew_costs_an_attempt(sqlite, submit, settings):
    submit(sqlite, epochs=1_000_000)
    held = write(sqlite, claim, lease_seconds=LEASE_SECONDS)
    slow = {"lease_seconds": LEASE_SECONDS, "heartbeat_seconds": 60}
    run(sqlite, held, settings.model_copy(update=slow), lambda: False)
    assert (row_of(sqlite, held).status, row_of(sqlite, held).attempt) == (Status.RUNNING, 1)
