"""What a message makes a worker's process do."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from kombu.exceptions import OperationalError

from service import broker
from service.store import jobs
from service.store.tenants import DEFAULT_TENANT
from service.store.transitions import Status
from tests.service.rows import read
from tests.waiting import wait_until
from worker import process
from worker.celery_app import QUEUE, TASK, app, ring
from worker.poller import Poller
from worker.tasks import train


@pytest.fixture
def child(sqlite, monkeypatch):
    """This process as one of the worker's children; its event tells it to stop."""
    stopping = threading.Event()
    monkeypatch.setattr(process, "_database", sqlite)
    monkeypatch.setattr(process, "_stopping", stopping)
    return stopping


def test_an_idle_trainer_finds_a_job_that_nobody_rang_for(child, sqlite, submit):
    submit(sqlite)
    submit(sqlite)
    poller = Poller(process.look, 0.01)
    poller.start()
    wait_until(lambda: statuses(sqlite) == [Status.SUCCEEDED] * 2, 10, "both jobs are done")
    poller.stop()
    assert not poller.is_alive()


def test_a_trainer_is_never_in_two_jobs_at_once(child, sqlite, submit):
    submit(sqlite)
    with process._training:
        assert not process.look()
        assert not process.run_next("any")
    assert statuses(sqlite) == [Status.QUEUED]
    assert process.look()
    assert statuses(sqlite) == [Status.SUCCEEDED]


def test_a_ring_that_finds_the_poller_training_is_passed_on_and_waits(
    child, sqlite, submit, monkeypatch
):
    passed_on = []
    monkeypatch.setattr(process, "ring", passed_on.append)
    job_id = submit(sqlite)
    with ThreadPoolExecutor(1) as threads:
        with process._training:
            answered = threads.submit(train, job_id)
            wait_until(lambda: passed_on == [job_id], 30, "the ring is passed on")
            assert (answered.done(), statuses(sqlite)) == (False, [Status.QUEUED])
        answered.result(timeout=60)
    assert statuses(sqlite) == [Status.SUCCEEDED]


def test_a_ring_that_no_broker_takes_stops_nobody(monkeypatch):
    def refuse(*_, **__):
        raise OperationalError("the broker is away")

    monkeypatch.setattr(app, "send_task", refuse)
    ring("job_0")


def test_a_poller_whose_look_fails_looks_again():
    looks = []

    def look():
        looks.append(None)
        raise RuntimeError("the database is away")

    poller = Poller(look, 0.001)
    poller.start()
    wait_until(lambda: len(looks) > 2, 30, "it has looked again")
    poller.stop()


def test_a_child_that_ends_gives_the_pollers_job_back_first(child, sqlite, submit, monkeypatch):
    job_id = submit(sqlite, epochs=1_000_000)
    poller = Poller(process.look, 0.01)
    monkeypatch.setattr(process, "_poller", poller)
    poller.start()
    wait_until(lambda: statuses(sqlite) == [Status.RUNNING], 10, "the poller trains")
    child.set()
    process.stop_child()
    assert not poller.is_alive()
    row = read(sqlite, jobs.get, DEFAULT_TENANT, job_id)
    assert (row.status, row.attempt) == (Status.QUEUED, 0)


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
