"""Sweeping on a real broker: lost messages are rung again, and never pile up."""

from __future__ import annotations

import subprocess
import sys

import pytest
import redis

from service.settings import Settings
from service.store import jobs
from service.store.tenants import DEFAULT_TENANT
from service.store.transitions import Status
from tests.service.rows import add_job, claim, expire, read, write
from tests.waiting import wait_until
from worker.celery_app import QUEUE, app
from worker.sweeper import Sweeper


@pytest.fixture
def broker(redis_url):
    """The broker that the Celery application rings."""
    app.conf.broker_url = redis_url
    app._after_fork()  # forgets the connections that a ring of another test has made
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def settings(sqlite_url):
    return Settings(database_url=sqlite_url, workers=2, sweep_seconds=0.02)


@pytest.fixture
def sweep(settings, sqlite):
    """Sweep once."""
    sweeper = Sweeper(settings)
    return lambda: sweeper._sweep(sqlite)


@pytest.fixture
def sweeper(settings, broker):
    """A sweeper that runs until the test ends."""
    thread = Sweeper(settings)
    thread.start()
    yield thread
    thread.stop()


def test_a_job_whose_message_was_lost_is_rung_again(broker, sweep, sqlite):
    write(sqlite, add_job)
    sweep()
    assert broker.llen(QUEUE) == 1
    broker.flushall()
    sweep()
    assert broker.llen(QUEUE) == 1


def test_messages_do_not_pile_up_while_jobs_wait(broker, sweep, sqlite):
    for _ in range(5):
        write(sqlite, add_job)
    for _ in range(4):
        sweep()
    assert broker.llen(QUEUE) == 2, "as many as there are workers"


def test_without_work_nobody_is_rung(broker, sweep, sqlite):
    write(sqlite, add_job)
    write(sqlite, claim)
    sweep()
    assert broker.llen(QUEUE) == 0


def test_a_job_whose_worker_died_is_rung_for(broker, sweep, sqlite):
    job = write(sqlite, add_job)
    write(sqlite, claim)
    write(sqlite, expire, job.id)
    sweep()
    assert broker.llen(QUEUE) == 1


def test_the_thread_sweeps_until_it_is_stopped(sweeper, broker, sqlite):
    write(sqlite, add_job)
    wait_until(lambda: broker.llen(QUEUE) == 1, 30, "the job is rung for")
    broker.flushall()
    wait_until(lambda: broker.llen(QUEUE) == 1, 30, "it is rung for again")
    sweeper.stop()
    assert not sweeper.is_alive()


def test_without_a_broker_jobs_are_settled_all_the_same(sweep, sqlite, free_port, monkeypatch):
    monkeypatch.setattr(app.conf, "broker_url", f"redis://127.0.0.1:{free_port}/0")
    job = write(sqlite, add_job)
    for _ in range(3):
        write(sqlite, claim)
        write(sqlite, expire, job.id)
    write(sqlite, add_job)
    sweep()
    assert read(sqlite, jobs.get, DEFAULT_TENANT, job.id).status == Status.FAILED


def test_a_database_that_fails_does_not_end_the_sweeper(broker, tmp_path):
    missing = tmp_path / "no" / "such.db"
    settings = Settings(database_url=f"sqlite+pysqlite:///{missing}", sweep_seconds=0.01)
    thread = Sweeper(settings)
    thread.start()
    missing.parent.mkdir()
    wait_until(missing.exists, 30, "the sweeper has tried again")
    assert thread.is_alive()
    thread.stop()


FORK_WHILE_IT_SWEEPS = """
import os, sys, threading
from service.settings import Settings
from service.store.database import Database
from worker import sweeper

began = threading.Event()

def slow_sweep(session, max_attempts):
    session.connection()
    began.set()
    threading.Event().wait(0.2)
    return 0

sweeper.sweep = slow_sweep
settings = Settings(database_url=sys.argv[1], sweep_seconds=0.01)
thread = sweeper.Sweeper(settings)
thread.start()
assert began.wait(10)
child = os.fork()
if not child:
    try:
        with Database(settings.resolved_database_url).writing() as session:
            session.connection()
            os._exit(0)
    except BaseException:
        os._exit(1)
ended = os.waitpid(child, 0)[1]
thread.stop()
sys.exit("the child takes the database for locked" if ended else 0)
"""


def test_a_trainer_that_is_forked_during_a_sweep_can_write(sqlite_url):
    subprocess.run([sys.executable, "-c", FORK_WHILE_IT_SWEEPS, sqlite_url], check=True)
