"""What a sweep settles, and what it counts as waiting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from service.store import events, jobs, leases
from service.store import sweep as sweeping
from service.store.checkpoints import Progress
from service.store.tenants import DEFAULT_TENANT
from service.store.transitions import Status
from tests.service.rows import MAX_ATTEMPTS, add_job, claim, claim_next, count, expire, read, write


def sweep(database):
    return write(database, sweeping.sweep, MAX_ATTEMPTS)


def job_of(database, job_id):
    return read(database, jobs.get, DEFAULT_TENANT, job_id)


def die_again_and_again(database, times=MAX_ATTEMPTS):
    job = write(database, add_job)
    for _ in range(times):
        write(database, claim, worker="elm:7")
        write(database, expire, job.id)
    return job.id


def test_an_empty_queue_waits_for_nobody(database):
    assert sweep(database) == 0


def test_queued_jobs_and_expired_leases_wait_for_a_claim(database):
    write(database, add_job)
    abandoned = write(database, add_job, priority=1)
    write(database, claim)
    assert sweep(database) == 1
    write(database, expire, abandoned.id)
    assert sweep(database) == 2


def test_a_held_job_and_a_final_one_are_left_alone(database):
    held, done = (write(database, add_job).id for _ in range(2))
    write(database, claim)
    write(database, jobs.cancel, DEFAULT_TENANT, done)
    before = {job_id: job_of(database, job_id).event_seq for job_id in (held, done)}
    assert sweep(database) == 0
    assert {job_id: job_of(database, job_id).event_seq for job_id in before} == before


def test_a_job_that_killed_its_workers_fails_as_poisoned(database):
    job_id = die_again_and_again(database)
    assert sweep(database) == 0
    row = job_of(database, job_id)
    assert (row.status, row.lease_until, row.model_id) == (Status.FAILED, None, None)
    assert (row.error["type"], row.error["attempts"]) == ("poisoned", 3)
    assert row.error["detail"] == (
        "The worker died 3 times while it ran this job, the last time on elm:7. The job may need "
        "more memory than there is: try a smaller network or batch."
    )
    assert row.finished_at is not None
    told = read(database, events.after, DEFAULT_TENANT, job_id, 0)[-1]
    assert (told.kind, told.data) == ("status", {"status": "failed"})


def test_a_job_that_may_be_tried_again_is_not_poisoned(database):
    job_id = die_again_and_again(database, times=MAX_ATTEMPTS - 1)
    assert sweep(database) == 1
    assert job_of(database, job_id).status == Status.RUNNING


def test_the_last_attempt_is_not_disturbed_while_its_lease_holds(database):
    job_id = die_again_and_again(database, times=MAX_ATTEMPTS - 1)
    write(database, claim)
    assert sweep(database) == 0
    assert job_of(database, job_id).status == Status.RUNNING


def test_a_worker_that_was_settled_cannot_write_any_more(database):
    job = write(database, add_job)
    claimed = write(database, claim)
    write(database, jobs.cancel, DEFAULT_TENANT, job.id)
    write(database, expire, job.id)
    sweep(database)
    assert job_of(database, job.id).token == claimed.token + 1


def test_a_cancelled_job_whose_worker_died_ends_cancelled(database):
    job = write(database, add_job)
    write(database, claim)
    write(database, jobs.cancel, DEFAULT_TENANT, job.id)
    write(database, expire, job.id)
    assert write(database, claim_next) is None
    assert sweep(database) == 0
    row = job_of(database, job.id)
    assert (row.status, row.error) == (Status.CANCELLED, None)
    assert row.finished_at is not None


def test_a_job_to_be_paused_whose_worker_died_ends_paused_with_its_checkpoint(database):
    job = write(database, add_job)
    claimed = write(database, claim)
    write(database, leases.checkpoint, claimed, Progress(1, 4, 10), b"state")
    write(database, jobs.pause, DEFAULT_TENANT, job.id)
    write(database, expire, job.id)
    assert write(database, claim_next) is None
    assert sweep(database) == 0
    row = job_of(database, job.id)
    assert (row.status, row.pause_requested, row.finished_at) == (Status.PAUSED, False, None)
    assert count(database, "job_checkpoints") == [1]
    write(database, jobs.resume, DEFAULT_TENANT, job.id)
    assert write(database, claim).attempt == 2


def test_a_poisoned_job_leaves_no_checkpoint_and_no_blob(database):
    job = write(database, add_job)
    for _ in range(MAX_ATTEMPTS):
        claimed = write(database, claim)
        write(database, leases.checkpoint, claimed, Progress(1, 4, 10), b"state")
        write(database, expire, job.id)
    sweep(database)
    assert count(database, "job_checkpoints", "blobs", "blob_chunks") == [0, 0, 0]


def test_a_cancelled_job_with_all_attempts_spent_ends_cancelled_once(database):
    job_id = die_again_and_again(database)
    write(database, jobs.cancel, DEFAULT_TENANT, job_id)
    sweep(database)
    sweep(database)
    told = read(database, events.after, DEFAULT_TENANT, job_id, 0)
    assert [each.data["status"] for each in told if each.kind == "status"][-2:] == [
        "running",
        "cancelled",
    ]


def test_concurrent_sweeps_settle_each_job_once(database):
    poisoned = [die_again_and_again(database) for _ in range(5)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: sweep(database), range(4)))
    for job_id in poisoned:
        told = read(database, events.after, DEFAULT_TENANT, job_id, 0)
        assert [each.data["status"] for each in told].count("failed") == 1
