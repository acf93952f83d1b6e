"""A job's numbered events."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.store import events, jobs, leases
from service.store.checkpoints import Progress
from service.store.tenants import DEFAULT_TENANT
from tests.service.rows import add_job, claim, epoch, read, write


def told(database, job_id, seq=0, **limits):
    return read(database, events.after, DEFAULT_TENANT, job_id, seq, **limits)


def test_events_are_numbered_from_one_without_gaps(database):
    job = write(database, add_job)
    claimed = write(database, claim)
    write(database, leases.record_epochs, claimed, [epoch(1), epoch(2)])
    write(database, leases.log, claimed, "done")
    assert [(each.seq, each.kind) for each in told(database, job.id)] == [
        (1, "status"),
        (2, "status"),
        (3, "epoch"),
        (4, "epoch"),
        (5, "log"),
    ]
    assert read(database, jobs.get, DEFAULT_TENANT, job.id).event_seq == 5


def test_concurrent_writers_leave_no_gap_and_no_repeat(database):
    job = write(database, add_job)

    def say(number):
        write(database, events.append, DEFAULT_TENANT, job.id, "log", {"number": number})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(say, range(40)))
    assert [each.seq for each in told(database, job.id)] == list(range(1, 42))
    assert {each.data.get("number") for each in told(database, job.id, 1)} == set(range(40))


def test_an_event_that_is_rolled_back_gives_its_number_back(database):
    job = write(database, add_job)

    def say_and_fail(session):
        events.append(session, DEFAULT_TENANT, job.id, "log", {"message": "never"})
        raise KeyError

    with pytest.raises(KeyError):
        write(database, say_and_fail)
    write(database, events.append, DEFAULT_TENANT, job.id, "log", {"message": "said"})
    assert [(each.seq, each.data) for each in told(database, job.id, 1)] == [
        (2, {"message": "said"})
    ]


def test_only_the_latest_progress_is_kept(database):
    job = write(database, add_job)
    claimed = write(database, claim)
    for step in (1, 2, 3):
        write(database, leases.beat, claimed, 60, Progress(1, step, step))
    write(database, leases.log, claimed, "slow")
    assert [(each.seq, each.kind) for each in told(database, job.id)] == [
        (1, "status"),
        (2, "status"),
        (5, "progress"),
        (6, "log"),
    ]
    assert told(database, job.id)[2].data["step"] == 3


def test_progress_of_one_job_leaves_that_of_another(database):
    for _ in range(2):
        write(database, add_job)
    claims = [write(database, claim) for _ in range(2)]
    for claimed in claims:
        write(database, leases.beat, claimed, 60, Progress(1, 1, 1))
    for claimed in claims:
        assert [each.kind for each in told(database, claimed.job_id)][-1] == "progress"


def test_reading_resumes_after_a_number_and_stops_at_the_limit(database):
    job = write(database, add_job)
    numbers = [{"number": number} for number in range(5)]
    write(database, events.append, DEFAULT_TENANT, job.id, "log", *numbers)
    assert [each.seq for each in told(database, job.id, 4)] == [5, 6]
    assert [each.seq for each in told(database, job.id, 1, limit=2)] == [2, 3]
    assert told(database, job.id, 99) == []


def test_nothing_to_say_takes_no_number(database):
    job = write(database, add_job)
    write(database, events.append, DEFAULT_TENANT, job.id, "epoch")
    assert read(database, jobs.get, DEFAULT_TENANT, job.id).event_seq == 1
