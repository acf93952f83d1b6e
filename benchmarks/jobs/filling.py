"""Jobs put straight into the tables, as many as a service has after years."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import insert, text

from service.store.database import Database
from service.store.epochs import EpochRow
from service.store.events import EventRow
from service.store.identifiers import new_id
from service.store.jobs import JobRow, TagRow
from service.store.tenants import DEFAULT_TENANT

RARE = 20  # jobs that have the rare tag: the oldest ones, the furthest from a page's beginning
BATCH = 5000
SPEC = {
    "epochs": 1,
    "priority": 0,
    "tags": {},
    "budget_seconds": None,
    # As long as the resolved spec of a small job.
    "network": {"layers": [{"type": "dense", "units": 3, "name": f"dense_{n}"} for n in range(20)]},
}


def fill(url: str, size: int) -> None:
    """Add so many jobs to an empty database, and let it look at its tables."""
    database = Database(url)
    for start in range(0, size, BATCH):
        jobs = list(_jobs(start, min(start + BATCH, size)))
        with database.writing() as session:
            session.execute(insert(JobRow), jobs)
            session.execute(insert(TagRow), [tag for job in jobs for tag in _tags(job)])
            session.execute(insert(EventRow), [event for job in jobs for event in _events(job)])
            session.execute(insert(EpochRow), [_epoch(job) for job in jobs])
    if database.engine.dialect.name == "postgresql":  # by itself it would within a minute
        with database.writing() as session:
            session.execute(text("ANALYZE"))
    database.dispose()


def _jobs(first: int, last: int) -> Iterator[dict[str, Any]]:
    for number in range(first, last):
        status = "queued" if number % 2 else ("failed" if number % 10 == 0 else "cancelled")
        running = number in (1, 3)  # each size has the same two
        yield {
            "id": new_id("job"),
            "tenant": DEFAULT_TENANT,
            "name": f"job {number}",
            "status": "running" if running else status,
            "dataset_id": f"ds_{number % 5}",
            "spec": SPEC | {"number": number},
            "epochs": 1,
            "steps": 1,
            "lease_until": 2**50 if running else None,
            "attempt": int(running),
            "event_seq": 3,
            "created_at": 1,  # a value, since the database's clock makes each row a statement
            "finished_at": 1 if status in ("failed", "cancelled") else None,
        }


def _tags(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    number = job["spec"]["number"]
    tags = {"team": "abcde"[number % 5]} | ({"rare": str(number)} if number < RARE else {})
    for key, value in tags.items():
        yield {"job_id": job["id"], "key": key, "tenant": DEFAULT_TENANT, "value": value}


def _events(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {
        "job_id": job["id"],
        "seq": 3,
        "tenant": DEFAULT_TENANT,
        "kind": "log",
        "data": {"message": "as they are"},
        "created_at": 1,
    }


def _epoch(job: dict[str, Any]) -> dict[str, Any]:
    return {
        "job_id": job["id"],
        "number": 1,
        "tenant": DEFAULT_TENANT,
        "step": 1,
        "metrics": {"loss": 0.5},
    }
