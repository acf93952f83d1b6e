"""Rows as the service would write them, with what a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from service.store import datasets, jobs, leases, models
from service.store.checkpoints import Progress
from service.store.database import Database
from service.store.datasets import DatasetRow
from service.store.epochs import EpochReport
from service.store.jobs import JobRow
from service.store.leases import Claim
from service.store.models import ModelRow
from service.store.tables import metadata
from service.store.tenants import DEFAULT_TENANT

Result = TypeVar("Result")
MAX_ATTEMPTS = 3
NUMBER = {"name": "x", "type": "number", "shape": [], "missing": 0}


def write(
    database: Database, action: Callable[..., Result], *arguments: Any, **named: Any
) -> Result:
    """Run one store function in a transaction of its own."""
    with database.writing() as session:
        return action(session, *arguments, **named)


def read(
    database: Database, action: Callable[..., Result], *arguments: Any, **named: Any
) -> Result:
    """Run one store function that only reads."""
    with database.reading() as session:
        return action(session, *arguments, **named)


def count(database: Database, *tables: str) -> list[int]:
    """How many rows each table has."""
    with database.reading() as session:
        counts = [select(func.count()).select_from(metadata.tables[name]) for name in tables]
        return [session.scalar(each) or 0 for each in counts]


def add_dataset(session: Session, tenant: str = DEFAULT_TENANT, **given: Any) -> DatasetRow:
    """A dataset of one number column."""
    facts: dict[str, Any] = {
        "name": "leaves",
        "format": "csv",
        "upload_bytes": 8,
        "upload_sha256": "0" * 64,
        "rows": 2,
        "columns": [NUMBER],
        "data": b"12345678",
    }
    return datasets.add(session, tenant, **facts | given)


def add_job(session: Session, tenant: str = DEFAULT_TENANT, **given: Any) -> JobRow:
    """A queued job; what is given and no column of the row goes into its spec."""
    spec = {"epochs": 3, "priority": 0, "tags": {}, "budget_seconds": None}
    facts: dict[str, Any] = {"name": "leaves", "dataset_id": "ds_0", "steps": 30}
    facts |= {key: given.pop(key) for key in list(given) if key in facts}
    return jobs.submit(session, tenant, spec=spec | given, **facts)


def claim_next(session: Session, worker: str = "oak", lease_seconds: float = 60) -> Claim | None:
    """Claim as a worker would."""
    return leases.claim_next(session, worker, lease_seconds, MAX_ATTEMPTS)


def claim(session: Session, **given: Any) -> Claim:
    """Claim a job that must be there."""
    claimed = claim_next(session, **given)
    assert claimed is not None
    return claimed


def add_model(session: Session, tenant: str = DEFAULT_TENANT, **given: Any) -> ModelRow:
    """A model with a few bytes of weights."""
    facts: dict[str, Any] = {
        "name": "leaves",
        "task": "regression",
        "network": {},
        "preprocessing": {},
        "metrics": {"loss": 0.5},
        "lineage": {},
        "weights": b"weights",
        "job_id": None,
    }
    return models.add(session, tenant, **facts | given)


def succeed(session: Session, claim: Claim) -> str:
    """Finish with a model, whose id is returned."""
    model = add_model(session, claim.tenant, job_id=claim.job_id)
    leases.succeed(session, claim, model.id, Progress(3, 30, 1000), {"loss": 0.5})
    return model.id


def epoch(number: int, loss: float = 0.5) -> EpochReport:
    """What a worker reports of an epoch of ten steps."""
    return EpochReport(number, 10 * number, {"loss": loss}, {"loss": loss, "learning_rate": 0.1})


def expire(session: Session, job_id: str) -> None:
    """Let the job's lease have ended long ago."""
    ended = text("UPDATE jobs SET lease_until = 1 WHERE id = :id")
    assert session.execute(ended, {"id": job_id}).rowcount == 1


def take_over(session: Session, job_id: str, worker: str = "elm") -> Claim:
    """Expire and claim in one transaction: a beat in between could renew the lease."""
    expire(session, job_id)
    return claim(session, worker=worker)
