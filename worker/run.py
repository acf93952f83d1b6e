"""One attempt at a job, from its claim to an end that is recorded."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from nncore import DivergedError
from nncore.preprocessing import PreprocessingError
from service.errors import GradserveError, LeaseLost, job_error
from service.settings import Settings
from service.store import leases
from service.store.database import Database
from service.store.leases import Claim
from worker.giving_back import give_back
from worker.heartbeat import (
    DATABASE_GONE,
    BudgetExceeded,
    CancelRequested,
    Heartbeat,
    RestRequested,
)
from worker.memory import limited
from worker.training import train

_log = structlog.get_logger(__name__)


def run(database: Database, claim: Claim, settings: Settings, stopping: Callable[[], bool]) -> None:
    """Train the claimed job; whatever happens is written under its token, or not at all."""
    _log.info("starts")
    heart = Heartbeat(database, claim, settings, stopping, partial(_give_up, database, claim))
    try:
        with heart:
            _run(heart, settings.max_job_bytes)
    except LeaseLost as lost:
        _log.warning("stops: the job is no longer ours", reason=lost.detail)
    except DATABASE_GONE as problem:
        # No fault of the job's: it is taken over once its lease has ended.
        _log.warning("stops: the database is away for too long", error=str(problem))
    else:
        return
    if heart.database_failed:
        give_back(database, claim, stopping)


def _run(heart: Heartbeat, max_job_bytes: int) -> None:
    claim = heart.claim
    try:
        with limited(max_job_bytes, claim.spec["shards"]):
            train(heart)
        _log.info("succeeded")
    except CancelRequested:
        heart.finish(lambda session: leases.cancelled(session, claim))
        _log.info("cancelled")
    except RestRequested:
        status = heart.finish(lambda session: leases.release(session, claim))
        _log.info("rests", status=status)
    except (LeaseLost, *DATABASE_GONE):
        raise
    except Exception as problem:
        error = _job_error(problem, claim)
        heart.finish(lambda session: leases.fail(session, claim, error))
        _log.warning("failed", exc_info=error["type"] == "crashed", **error)


def _give_up(database: Database, claim: Claim) -> None:
    """Fail a job whose step hangs, and end the process with it: a thread cannot be interrupted."""
    error = _job_error(BudgetExceeded(), claim)
    try:
        with database.writing() as session:
            leases.fail(session, claim, error)
    except (LeaseLost, *DATABASE_GONE) as problem:
        _log.warning("a run that hangs could not be failed", error=str(problem))
    _log.warning("a run hangs beyond its budget; its process ends", job=claim.job_id)
    os._exit(1)


def _job_error(problem: Exception, claim: Claim) -> dict[str, Any]:
    """The `error` of the failed job, in words for its owner."""
    match problem:
        case BudgetExceeded():
            budget = claim.spec["budget_seconds"]
            detail = f"The run took longer than its budget of {budget} s. Raise budget_seconds."
            return job_error("budget_exceeded", detail)
        case DivergedError():
            detail = f"{str(problem)[0].upper()}{str(problem)[1:]}."
            return job_error("diverged", detail, epoch=problem.epoch, step=problem.step)
        case MemoryError():
            detail = "The run needs more memory than there is. Try a smaller network or batch."
            return job_error("out_of_memory", detail)
        case PreprocessingError() | GradserveError():
            return job_error("invalid_data", str(problem.detail))
        case _:
            detail = (
                f"The run failed unexpectedly ({type(problem).__name__}); see the worker's log."
            )
            return job_error("crashed", detail)
