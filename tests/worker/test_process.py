"""What a message makes a worker's process do."""

from __future__ import annotations

import threading

import pytest

from service import broker
from service.store import jobs
from service.store.tenants import DEFAULT_TENANT
from service.store.transitions import Status
from tests.service.rows import read
from worker import process
from worker.celery_app import QUEUE, TASK, app
from worker.tasks import train


@pytest.fixture
def child(sqlite, monkeypatch):
    """This process as one of the worker's children; its event tells it to stop."""
    stopping = threading.Event()
    monkeypatch.setattr(process, "_database", sqlite)
    monkeypatch.setattr(process, "_stopping", stopping)
    return stopping


def statuses(database):
    return [
        row.status for row in reversed(read(database, jobs.page, DEFAULT_TENANT, None, 9).items)
    ]


def test_a_ring_trains_the_most_urgent_job_whoever_rang(child, sqlite, submit):
    rang = submit(sqlite)
    submit(sqlite, priority=5)
    train(rang)
    assert statuses(sqlite) == [Status.QUEUED, Status.SUCCEEDED]
    train(rang)
    train(rang)
    assert statuses(sqlite) == [Status.SUCCEEDED, Status.SUCCEEDED]


def test_a_ring_for_nothing_does_nothing(child, sqlite):
    train("job_0")
    assert statuses(sqlite) == []


def test_a_worker_that_stops_takes_no_more_jobs(child, sqlite, submit):
    submit(sqlite)
    child.set()
    train("any")
    assert statuses(sqlite) == [Status.QUEUED]


def test_a_worker_is_known_by_its_host_and_process(child, sqlite, submit):
    job_id = submit(sqlite)
    train(job_id)
    worker = read(sqlite, jobs.get, DEFAULT_TENANT, job_id).worker
    assert worker.rpartition(":")[2].isdecimal()


def test_both_ends_of_the_broker_mean_the_same_queue_and_task():
    assert (broker.QUEUE, broker.TASK) == (QUEUE, TASK)
    assert train.name == TASK
    assert app.conf.task_default_queue == QUEUE


def test_messages_are_taken_one_at_a_time_and_acknowledged_early():
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.task_acks_late is False
    assert app.conf.task_ignore_result is True
