"""Claims, and the token that fences what is written under them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from service.errors import LeaseLost
from service.store import epochs, events, jobs, leases, models
from service.store.checkpoints import Progress
from service.store.jobs import JobRow
from service.store.leases import Wishes
from service.store.tenants import DEFAULT_TENANT
from service.store.transitions import Status
from tests.service.rows import (
    add_job,
    add_model,
    claim,
    claim_next,
    epoch,
    expire,
    read,
    succeed,
    write,
)

HALFWAY = Progress(epoch=1, step=15, training_ms=400)


def snapshot(database, job_id):
    """Everything that is stored of a job."""
    with database.reading() as session:
        row = session.get_one(JobRow, job_id)
        columns = {column.key: getattr(row, column.key) for column in inspect(JobRow).columns}
        history = epochs.history(session, row.tenant, job_id)
        told = events.after(session, row.tenant, job_id, 0)
        return columns, [each.number for each in history], [(each.seq, each.kind) for each in told]


def job_of(database, job_id):
    return read(database, jobs.get, DEFAULT_TENANT, job_id)


def test_an_empty_queue_gives_no_claim(database):
    assert write(database, claim_next) is None


def test_a_claim_tells_the_worker_what_to_do(database):
    job = write(database, add_job, name="oak", dataset_id="ds_7")
    claimed = write(database, claim)
    assert (claimed.job_id, claimed.tenant) == (job.id, DEFAULT_TENANT)
    assert (claimed.token, claimed.attempt) == (1, 1)
    assert (claimed.name, claimed.dataset_id, claimed.spec) == ("oak", "ds_7", job.spec)


def test_a_claimed_job_is_running_under_a_lease_of_the_databases_clock(database):
    write(database, add_job)
    claimed = write(database, claim, worker="elm:1", lease_seconds=60)
    row = job_of(database, claimed.job_id)
    assert (row.status, row.worker, row.attempt, row.token) == (Status.RUNNING, "elm:1", 1, 1)
    assert row.lease_until - row.started_at == pytest.approx(60_000, abs=5000)


def test_the_most_urgent_job_is_claimed_first_and_then_the_oldest(database):
    priorities = [0, 5, -1, 5, 0]
    submitted = [write(database, add_job, priority=priority).id for priority in priorities]
    claimed = [write(database, claim).job_id for _ in priorities]
    assert claimed == [submitted[place] for place in (1, 3, 0, 4, 2)]


def test_a_claimed_job_cannot_be_claimed_until_its_lease_ends(database):
    job = write(database, add_job)
    write(database, claim)
    assert write(database, claim_next) is None
    write(database, expire, job.id)
    second = write(database, claim, worker="elm")
    assert (second.job_id, second.token, second.attempt) == (job.id, 2, 2)


def test_a_beat_renews_the_lease(database):
    write(database, add_job)
    claimed = write(database, claim, lease_seconds=60)
    write(database, expire, claimed.job_id)
    write(database, leases.beat, claimed, 60, None)
    assert write(database, claim_next) is None


def test_an_attempt_knows_how_far_the_ones_before_were_and_says_where_it_begins(database):
    job = write(database, add_job)
    first = write(database, claim)
    assert first.reached == Progress(0, 0, 0)
    write(database, leases.beat, first, 60, HALFWAY)
    write(database, expire, job.id)
    second = write(database, claim)
    assert second.reached == HALFWAY
    write(database, leases.begin, second, Progress(1, 10, 300), "Goes on after step 10")
    row = job_of(database, job.id)
    assert (row.epoch, row.step, row.training_ms) == (1, 10, 300)
    told = read(database, events.after, DEFAULT_TENANT, job.id, 0)[-1]
    assert (told.kind, told.data) == ("log", {"message": "Goes on after step 10"})


def test_the_time_of_all_attempts_is_added_up(database):
    job = write(database, add_job)
    earlier = text("UPDATE jobs SET started_at = started_at - 3600000")
    for attempt in (1, 2):
        claimed = write(database, claim)
        assert claimed.spent_ms == pytest.approx(3_600_000 * (attempt - 1), abs=60_000)
        write(database, lambda session: session.execute(earlier))
        write(database, leases.beat, claimed, 60, None)
        assert job_of(database, job.id).spent_ms == pytest.approx(3_600_000 * attempt, abs=60_000)
        write(database, expire, job.id)


def test_a_beat_records_progress_and_says_it(database):
    job = write(database, add_job)
    claimed = write(database, claim)
    assert write(database, leases.beat, claimed, 60, HALFWAY) == Wishes()
    row = job_of(database, job.id)
    assert (row.epoch, row.step, row.training_ms) == (1, 15, 400)
    told = read(database, events.after, DEFAULT_TENANT, job.id, 0)[-1]
    assert (told.kind, told.data) == (
        "progress",
        {"epoch": 1, "epochs": 3, "step": 15, "steps": 30},
    )


def test_a_beat_tells_what_the_owner_wants(database):
    job = write(database, add_job)
    claimed = write(database, claim)
    write(database, jobs.cancel, DEFAULT_TENANT, job.id)
    assert write(database, leases.beat, claimed, 60, None) == Wishes(cancel=True)
    write(database, jobs.pause, DEFAULT_TENANT, job.id)
    assert write(database, leases.beat, claimed, 60, None) == Wishes(cancel=True, pause=True)


WRITES = {
    "beat": lambda session, old: leases.beat(session, old, 60, HALFWAY),
    "beat without progress": lambda session, old: leases.beat(session, old, 60, None),
    "record_epochs": lambda session, old: leases.record_epochs(session, old, [epoch(1)]),
    "log": lambda session, old: leases.log(session, old, "too late"),
    "succeed": succeed,
    "fail": lambda session, old: leases.fail(session, old, {"type": "x", "detail": "y"}),
    "cancelled": leases.cancelled,
    "release": leases.release,
    "begin": lambda session, old: leases.begin(session, old, HALFWAY, "too late"),
    "checkpoint": lambda session, old: leases.checkpoint(session, old, HALFWAY, b"state"),
}


@pytest.mark.parametrize("stale_write", WRITES.values(), ids=WRITES)
def test_a_stale_write_raises_and_changes_nothing(database, stale_write):
    job = write(database, add_job)
    stale = write(database, claim)
    write(database, expire, job.id)
    write(database, claim, worker="elm")
    before = snapshot(database, job.id)
    with pytest.raises(LeaseLost, match=f"job {job.id}: token 1 is not the latest"):
        write(database, stale_write, stale)
    assert snapshot(database, job.id) == before


@pytest.mark.parametrize("late_write", WRITES.values(), ids=WRITES)
def test_nothing_is_written_to_a_final_job(database, late_write):
    job = write(database, add_job)
    claimed = write(database, claim)
    write(database, leases.cancelled, claimed)
    before = snapshot(database, job.id)
    with pytest.raises(LeaseLost):
        write(database, late_write, claimed)
    assert snapshot(database, job.id) == before


def test_a_stale_success_leaves_no_model_behind(database):
    job = write(database, add_job)
    stale = write(database, claim)
    write(database, expire, job.id)
    write(database, claim)
    with pytest.raises(LeaseLost):
        write(database, succeed, stale)
    assert read(database, models.page, DEFAULT_TENANT, None, 10).items == []


def test_a_holder_whose_lease_has_ended_may_write_until_somebody_claims_anew(database):
    job = write(database, add_job)
    claimed = write(database, claim)
    write(database, expire, job.id)
    write(database, leases.record_epochs, claimed, [epoch(1)])
    assert [row.number for row in read(database, epochs.history, DEFAULT_TENANT, job.id)] == [1]


def test_concurrent_workers_get_each_job_once(database):
    submitted = {write(database, add_job, name=str(number)).id for number in range(20)}

    def work(worker):
        claimed = []
        while (mine := write(database, claim_next, worker=f"worker {worker}")) is not None:
            claimed.append(mine.job_id)
        return claimed

    with ThreadPoolExecutor(4) as threads:
        claimed = Counter(job for jobs_of_one in threads.map(work, range(4)) for job in jobs_of_one)
    assert set(claimed) == submitted
    assert set(claimed.values()) == {1}


def test_a_job_with_all_its_attempts_spent_is_not_claimed(database):
    job = write(database, add_job)
    for _ in range(3):
        write(database, claim)
        write(database, expire, job.id)
    assert write(database, claim_next) is None


def test_success_links_the_model_and_ends_the_lease(database):
    job = write(database, add_job)
    model_id = write(database, succeed, write(database, claim))
    row = job_of(database, job.id)
    assert (row.status, row.model_id, row.lease_until) == (Status.SUCCEEDED, model_id, None)
    assert (row.metrics, row.epoch, row.step) == ({"loss": 0.5}, 3, 30)
    assert row.finished_at >= row.started_at >= row.created_at


def test_failure_keeps_its_reason(database):
    job = write(database, add_job)
    write(database, leases.fail, write(database, claim), {"type": "diverged", "detail": "NaN"})
    row = job_of(database, job.id)
    assert (row.status, row.error) == (Status.FAILED, {"type": "diverged", "detail": "NaN"})
    assert row.finished_at is not None


def test_a_second_model_of_the_same_job_is_refused(database):
    write(database, add_job)
    claimed = write(database, claim)
    write(database, succeed, claimed)
    with pytest.raises(IntegrityError):
        write(database, add_model, job_id=claimed.job_id)


def test_a_released_job_is_claimed_again_without_counting_the_attempt(database):
    job = write(database, add_job)
    write(database, leases.release, write(database, claim))
    row = job_of(database, job.id)
    assert (row.status, row.attempt, row.lease_until) == (Status.QUEUED, 0, None)
    again = write(database, claim)
    assert (again.attempt, again.token) == (1, 2)


@pytest.mark.parametrize(
    ("wishes", "status"),
    [
        ([], Status.QUEUED),
        ([jobs.pause], Status.PAUSED),
        ([jobs.cancel], Status.CANCELLED),
        ([jobs.pause, jobs.cancel], Status.CANCELLED),
        ([jobs.pause, jobs.resume], Status.QUEUED),
        ([jobs.pause, jobs.resume, jobs.pause], Status.PAUSED),
    ],
)
def test_a_released_job_becomes_what_its_owner_asked_last(database, wishes, status):
    job = write(database, add_job)
    claimed = write(database, claim)
    for wish in wishes:
        write(database, wish, DEFAULT_TENANT, job.id)
    assert write(database, leases.release, claimed) == status
    row = job_of(database, job.id)
    assert (row.status, row.lease_until) == (status, None)
    assert (row.finished_at is None) == (status != Status.CANCELLED)
    told = read(database, events.after, DEFAULT_TENANT, job.id, 0)[-1]
    assert told.data == {"status": status}
    assert (write(database, claim_next) is None) == (status != Status.QUEUED)


def test_a_log_line_reaches_the_stream(database):
    job = write(database, add_job)
    write(database, leases.log, write(database, claim), "the first batch is slow")
    told = read(database, events.after, DEFAULT_TENANT, job.id, 0)[-1]
    assert (told.kind, told.data) == ("log", {"message": "the first batch is slow"})


def test_a_job_that_is_cancelled_and_claimed_at_once_is_one_or_the_other(database):
    for _ in range(10):
        job = write(database, add_job)
        with ThreadPoolExecutor(2) as threads:
            cancelling = threads.submit(write, database, jobs.cancel, DEFAULT_TENANT, job.id)
            claiming = threads.submit(write, database, claim_next)
        cancelling.result()
        row = job_of(database, job.id)
        if claiming.result() is None:
            assert (row.status, row.attempt) == (Status.CANCELLED, 0)
        else:
            assert (row.status, row.cancel_requested) == (Status.RUNNING, True)
            write(database, leases.cancelled, claiming.result())
