"""What becomes of a job whose lease ended while the database was away: nothing that it pays for."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from service.errors import LeaseLost
from service.store import leases
from service.store.database import Database
from service.store.leases import Claim
from worker.heartbeat import DATABASE_GONE, RETRY_SECONDS

_log = structlog.get_logger(__name__)


def give_back(database: Database, claim: Claim, stopping: Callable[[], bool]) -> None:
    """Put the job back into the queue as soon as the database is there again.

    The attempt does not count then: attempts are for jobs that kill their workers. Does nothing
    where another worker has taken the job over, or once this one is told to stop.
    """
    while not stopping():
        try:
            with database.writing() as session:
                status = leases.release(session, claim)
        except LeaseLost:
            return
        except DATABASE_GONE as problem:
            _log.warning("the database is still away", error=str(problem))
            time.sleep(RETRY_SECONDS)
        else:
            _log.info("given back after an outage", status=status)
            return
