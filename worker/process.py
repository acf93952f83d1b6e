"""The worker's processes: a parent that sweeps, children that train.

A stop is told to the children through an event made before they fork; each gives its job back to
the queue at its next step, so that stopping a worker costs no job an attempt.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from multiprocessing import get_context

import structlog

from service.store import leases
from service.store.database import Database
from worker.celery_app import settings
from worker.run import run
from worker.sweeper import Sweeper

# The heartbeat gets the interpreter's lock this long after it asks, however busy training is.
SWITCH_SECONDS = 0.0005

_log = structlog.get_logger(__name__)

_stopping = get_context("fork").Event() if sys.platform != "win32" else get_context().Event()
_database: Database | None = None
_sweeper: Sweeper | None = None


def run_next(rung_by: str) -> None:
    """Claim the most urgent job and train it to an end; do nothing if there is none."""
    assert _database is not None, "start_child opens the database"
    if _stopping.is_set():
        return
    with _database.writing() as session:
        claim = leases.claim_next(session, _name(), settings.lease_seconds, settings.max_attempts)
    if claim is None:
        _log.info("nothing to do", rung_by=rung_by)
        return
    with structlog.contextvars.bound_contextvars(job=claim.job_id, attempt=claim.attempt):
        run(_database, claim, settings, _stopping.is_set)


def start_child() -> None:
    """In a fresh child: open a database of its own, and die when the parent does."""
    global _database
    _die_with_parent()
    sys.setswitchinterval(SWITCH_SECONDS)
    _database = Database(settings.resolved_database_url)


def stop_child() -> None:
    """In a child that ends."""
    if _database is not None:
        _database.dispose()


def start_parent() -> None:
    """In the parent, once it takes messages."""
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
