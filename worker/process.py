"""The worker's processes: a parent that sweeps, children that train.

A stop is told to the children through a flag made before they fork; each keeps its job's state and
gives it back to the queue at its next step, so that stopping a worker costs no job an attempt.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading

import structlog

from service.store import leases
from service.store.database import Database
from service.store.leases import Claim
from worker.celery_app import ring, settings
from worker.flag import Flag
from worker.poller import Poller
from worker.recycling import Age
from worker.run import run
from worker.sweeper import Sweeper

# The heartbeat gets the interpreter's lock this long after it asks, however busy training is.
SWITCH_SECONDS = 0.0005
# A trainer that leaves gives its pool this long to hear how its last message ended.
LEAVE_SECONDS = 0.05

_log = structlog.get_logger(__name__)

_stopping = Flag()
_training = threading.Lock()  # a message's thread and the poller's never train at once
_database: Database | None = None
_poller: Poller | None = None
_age: Age | None = None
_sweeper: Sweeper | None = None


def answer(job_id: str) -> None:
    """Do what a message asks for: run the next job.

    While the poller trains here, the ring is passed on. Waiting meanwhile shows the pool that this
    trainer is busy, so that another one gets it.
    """
    if _training.locked():
        ring(job_id)
        with _training:
            pass
    run_next(rung_by=job_id)


def run_next(rung_by: str) -> bool:
    """Claim the most urgent job and train it to an end; False if there was none to be had here.

    A trainer that is about to leave takes none: the next one looks as soon as it is there.
    """
    if _stopping.is_set() or _is_old() or not _training.acquire(blocking=False):
        return False
    try:
        return _run_next(rung_by)
    finally:
        _training.release()
        if _is_old():
            threading.Timer(LEAVE_SECONDS, _leave).start()


def _run_next(rung_by: str) -> bool:
    assert _database is not None, "start_child opens the database"
    claim = _claim(_database)
    if claim is None:
        _log.debug("nothing to do", rung_by=rung_by)
        return False
    with structlog.contextvars.bound_contextvars(job=claim.job_id, attempt=claim.attempt):
        run(_database, claim, settings, _stopping.is_set)
    if _age is not None:
        _age.ended_job()
    return True


def _claim(database: Database) -> Claim | None:
    # Most looks and many rings find nothing; a look alone keeps no writer of SQLite waiting.
    with database.reading() as session:
        if not leases.claimable(session, settings.max_attempts):
            return None
    with database.writing() as session:
        return leases.claim_next(session, _name(), settings.lease_seconds, settings.max_attempts)


def _is_old() -> bool:
    return _age is not None and _age.due


def _leave() -> None:
    """End this process at once, which its parent takes for an orderly end."""
    with _training:
        _log.info("leaves; another trainer takes its place")
        if _database is not None:
            _database.dispose()
        os._exit(0)


def look() -> bool:
    """Run the next job, if one waits; False if none did or this trainer is busy."""
    assert _database is not None, "start_child opens the database"
    if _training.locked():
        return False
    with _database.reading() as session:
        waits = leases.claimable(session, settings.max_attempts)
    return waits and run_next("poll")


def start_child() -> None:
    """In a fresh child: open a database of its own, look for work, and die when the parent does."""
    global _database, _poller, _age
    _die_with_parent()
    sys.setswitchinterval(SWITCH_SECONDS)
    _database = Database(settings.resolved_database_url)
    _age = Age(settings)
    _poller = Poller(look, settings.poll_seconds)
    _poller.start()


def stop_child() -> None:
    """In a child that ends: a job that the poller runs is given back first."""
    if _poller is not None:
        _poller.stop()
    if _database is not None:
        _database.dispose()


def start_parent() -> None:
    """In the parent, once it has children; the broker may be away."""
    global _sweeper
    _sweeper = Sweeper(settings)
    _sweeper.start()


def stop_parent() -> None:
    """In the parent, when it is told to stop."""
    _stopping.set()
    if _sweeper is not None:
        _sweeper.stop()


def _name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _die_with_parent() -> None:
    if sys.platform != "linux":
        return
    set_parent_death_signal = 1
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL)
