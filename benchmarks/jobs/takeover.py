"""How long a job whose worker was killed waits for its next attempt."""

from __future__ import annotations

import os
import random
import signal
import time
from typing import Any

import httpx
import psutil

from benchmarks.jobs.calls import Service
from benchmarks.jobs.figures import Figure
from benchmarks.stack import running
from benchmarks.training.results import Results
from service.store.database import Database
from service.store.jobs import JobRow

CASE = "takeover"
LEASE_SECONDS = 5.0  # the usual one would only lengthen each wait
ROUNDS = 5  # of two jobs each, one a trainer
LONG = {"epochs": 1_000_000, "batch_size": 1}
DEADLINE_SECONDS = 60.0
LOOK_SECONDS = 0.02
SETTLE_SECONDS = 1.5  # a heartbeat and more, so that leases are not the ones of the claim


def measure(results: Results) -> None:
    """Kill trainers, and in the last round the whole worker, under jobs that would run for long."""
    waited: list[float] = []
    lease = {"GRADSERVE_LEASE_SECONDS": str(LEASE_SECONDS)}
    with (
        running(**lease) as stack,
        httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as http,
    ):
        service, database = Service(http), Database(stack.database_url)
        service.lives(2)
        for number in range(ROUNDS):
            whole = number == ROUNDS - 1
            waited += _round(service, database, stack.pid if whole else None)
        database.dispose()
    found = {"lease_seconds": LEASE_SECONDS, "seconds": sorted(round(each, 2) for each in waited)}
    results.keep("jobs", CASE, found)


def figures(found: dict[str, Any]) -> list[Figure]:
    """What was found, with the goals: the longest wait counts."""
    lease, waited = found["lease_seconds"], found["seconds"]
    name = f"a killed job's next attempt, lease {lease:g} s, longest wait"
    return [Figure(name, waited[-1], "s", "<=", lease + 2, count=len(waited))]


def _round(service: Service, database: Database, stack: int | None) -> list[float]:
    jobs = [service.submit(**LONG)["id"] for _ in range(2)]
    trainers = [_trainer(database, job) for job in jobs]
    time.sleep(SETTLE_SECONDS + random.random())
    killed = []
    for trainer in trainers:
        killed.append(time.time() * 1000)  # the database's clock is this machine's
        if stack is None:
            os.kill(trainer, signal.SIGKILL)
            time.sleep(random.random())
    if stack is not None:
        _kill_worker(trainers[0])
    waited = [(_again(database, job) - at) / 1000 for job, at in zip(jobs, killed, strict=True)]
    for job in jobs:
        service.cancel(job)
    return waited


def _kill_worker(trainer: int) -> None:
    """The worker with all its trainers; its supervisor starts another one."""
    worker = psutil.Process(trainer).parent()
    assert worker is not None
    for process in (worker, *worker.children()):
        process.kill()


def _trainer(database: Database, job_id: str) -> int:
    row = _until(database, job_id, lambda row: row.status == "running")
    return int(str(row.worker).rpartition(":")[2])


def _again(database: Database, job_id: str) -> int:
    row = _until(database, job_id, lambda row: row.attempt == 2)
    assert row.started_at is not None
    return row.started_at


def _until(database: Database, job_id: str, holds: Any) -> JobRow:
    give_up_at = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < give_up_at:
        with database.reading() as session:
            row = session.get_one(JobRow, job_id)
        if holds(row):
            return row
        time.sleep(LOOK_SECONDS)
    raise SystemExit(f"job {job_id} is still {row.status}, attempt {row.attempt}")
