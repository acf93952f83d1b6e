"""Old trainers leave between two jobs, and no job waits for their successors."""

from __future__ import annotations

import numpy as np
import pytest

from service.settings import Settings
from service.store import jobs
from service.store.tenants import DEFAULT_TENANT
from service.store.transitions import Status
from tests.service.rows import read
from tests.waiting import wait_until
from worker import process
from worker.recycling import Age


def test_a_trainer_is_due_after_its_jobs():
    age = Age(Settings(recycle_jobs=2))
    age.ended_job()
    assert not age.due
    age.ended_job()
    assert age.due


def test_a_trainer_is_due_that_keeps_much_memory():
    age = Age(Settings(recycle_bytes=50 * 2**20))
    age.ended_job()
    assert not age.due
    kept = np.ones(100 * 2**20, np.uint8)
    age.ended_job()
    assert age.due
    del kept


@pytest.fixture
def left(sqlite, monkeypatch):
    """This process as a child that is due after one job; how it has left, once it has."""
    statuses: list[int] = []
    monkeypatch.setattr(process, "_database", sqlite)
    monkeypatch.setattr(process, "_age", Age(Settings(recycle_jobs=1)))
    monkeypatch.setattr(process.os, "_exit", statuses.append)
    return statuses


def test_an_old_trainer_leaves_after_its_job_and_takes_no_other(left, sqlite, submit):
    ids = [submit(sqlite) for _ in range(2)]
    assert process.run_next("any")
    assert not process.run_next("any")
    wait_until(lambda: left, 30, "it has left")
    assert left == [0]
    states = [read(sqlite, jobs.get, DEFAULT_TENANT, job_id).status for job_id in ids]
    assert states == [Status.SUCCEEDED, Status.QUEUED]
