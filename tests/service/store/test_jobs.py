"""Jobs as their owner sees them."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from service.errors import Conflict, NotFound
from service.store import epochs, events, jobs, leases, models
from service.store.checkpoints import Progress
from service.store.tenants import DEFAULT_TENANT
from service.store.transitions import FINAL, Status
from tests.service.rows import add_job, claim, count, epoch, read, succeed, write


def job_of(database, job_id):
    return read(database, jobs.get, DEFAULT_TENANT, job_id)


def fail(session, claimed):
    leases.fail(session, claimed, {"type": "crashed", "detail": "broken"})


ENDINGS = {"succeeded": succeed, "failed": fail, "cancelled": leases.cancelled}


def test_a_submitted_job_waits_in_the_queue(database):
    job = write(database, add_job, name="oak", priority=7, epochs=4, steps=40)
    row = job_of(database, job.id)
    assert (row.status, row.name, row.priority) == (Status.QUEUED, "oak", 7)
    assert (row.epoch, row.epochs, row.step, row.steps) == (0, 4, 0, 40)
    assert (row.attempt, row.token, row.metrics) == (0, 0, {})
    assert (row.model_id, row.error, row.started_at, row.finished_at) == (None,) * 4
    told = read(database, events.after, DEFAULT_TENANT, job.id, 0)
    assert [(each.seq, each.kind, each.data) for each in told] == [
        (1, "status", {"status": "queued"})
    ]


def test_an_unknown_job_is_not_found(database):
    for look_up in (jobs.get, jobs.cancel, jobs.pause, jobs.resume, jobs.remove):
        with pytest.raises(NotFound, match="There is no job 'job_0'. List them with GET /v1/jobs."):
            write(database, look_up, DEFAULT_TENANT, "job_0")
    assert read(database, jobs.look, DEFAULT_TENANT, "job_0") is None


def test_a_queued_job_is_cancelled_at_once(database):
    job = write(database, add_job)
    row = write(database, jobs.cancel, DEFAULT_TENANT, job.id)
    assert row.status == Status.CANCELLED
    assert row.finished_at is not None
    assert row.event_seq == 2
    assert write(database, leases.claim_next, "oak", 60, 3) is None


def test_a_paused_job_is_cancelled_at_once_and_leaves_no_checkpoint(database):
    job = write(database, add_job)
    claimed = write(database, claim)
    write(database, leases.checkpoint, claimed, Progress(1, 4, 10), b"state")
    write(database, jobs.pause, DEFAULT_TENANT, job.id)
    write(database, leases.release, claimed)
    row = write(database, jobs.cancel, DEFAULT_TENANT, job.id)
    assert row.status == Status.CANCELLED
    assert row.finished_at is not None
    assert count(database, "job_checkpoints", "blobs", "blob_chunks") == [0, 0, 0]


def test_a_queued_job_is_paused_and_resumed_at_once(database):
    job = write(database, add_job)
    assert write(database, jobs.pause, DEFAULT_TENANT, job.id).status == Status.PAUSED
    assert write(database, jobs.pause, DEFAULT_TENANT, job.id).status == Status.PAUSED
    assert write(database, leases.claim_next, "oak", 60, 3) is None
    assert write(database, jobs.resume, DEFAULT_TENANT, job.id).status == Status.QUEUED
    assert write(database, jobs.resume, DEFAULT_TENANT, job.id).status == Status.QUEUED
    told = read(database, events.after, DEFAULT_TENANT, job.id, 0)
    assert [each.data["status"] for each in told] == ["queued", "paused", "queued"]
    assert write(database, claim).attempt == 1


def test_a_running_job_is_asked_to_pause_and_may_be_told_to_go_on(database):
    job = write(database, add_job)
    write(database, claim)
    row = write(database, jobs.pause, DEFAULT_TENANT, job.id)
    assert (row.status, row.pause_requested) == (Status.RUNNING, True)
    row = write(database, jobs.resume, DEFAULT_TENANT, job.id)
    assert (row.status, row.pause_requested) == (Status.RUNNING, False)


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
def test_a_final_job_is_neither_paused_nor_resumed(database, end):
    job = write(database, add_job)
    write(database, end, write(database, claim))
    for verb in (jobs.pause, jobs.resume):
        with pytest.raises(Conflict, match="and stays so"):
            write(database, verb, DEFAULT_TENANT, job.id)


def test_a_running_job_is_asked_to_stop(database):
    job = write(database, add_job)
    write(database, claim)
    row = write(database, jobs.cancel, DEFAULT_TENANT, job.id)
    assert (row.status, row.cancel_requested, row.finished_at) == (Status.RUNNING, True, None)


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
def test_a_final_job_stays_as_it_is_when_cancelled(database, end):
    job = write(database, add_job)
    write(database, end, write(database, claim))
    before = job_of(database, job.id)
    after = write(database, jobs.cancel, DEFAULT_TENANT, job.id)
    assert after.status in FINAL
    for attribute in ("status", "cancel_requested", "finished_at", "event_seq", "model_id"):
        assert getattr(after, attribute) == getattr(before, attribute)


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
def test_a_final_job_is_deleted_with_its_history_and_events(database, end):
    job = write(database, add_job, tags={"team": "a"})
    claimed = write(database, claim)
    write(database, leases.record_epochs, claimed, [epoch(1)])
    write(database, end, claimed)
    write(database, jobs.remove, DEFAULT_TENANT, job.id)
    assert read(database, jobs.look, DEFAULT_TENANT, job.id) is None
    assert count(database, "job_events", "job_epochs", "job_tags") == [0, 0, 0]


def test_the_model_of_a_deleted_job_stays(database):
    job = write(database, add_job)
    model_id = write(database, succeed, write(database, claim))
    write(database, jobs.remove, DEFAULT_TENANT, job.id)
    assert read(database, models.get, DEFAULT_TENANT, model_id).job_id == job.id


def test_an_unfinished_job_is_not_deleted(database):
    job = write(database, add_job)
    with pytest.raises(Conflict, match=f"Job {job.id} is queued; only a final job can be deleted"):
        write(database, jobs.remove, DEFAULT_TENANT, job.id)
    write(database, claim)
    with pytest.raises(Conflict, match=f"Cancel it first with POST /v1/jobs/{job.id}/cancel."):
        write(database, jobs.remove, DEFAULT_TENANT, job.id)
    assert job_of(database, job.id).status == Status.RUNNING


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("UPDATE jobs SET status = 'succeeded'", "transition|a queued job"),
        ("UPDATE jobs SET model_id = 'model_0'", "model_iff_done"),
        ("UPDATE jobs SET status = 'running'", "lease_iff_running"),
        ("UPDATE jobs SET lease_until = 1", "lease_iff_running"),
        ("UPDATE jobs SET status = 'sleeping'", "transition|a queued job"),
    ],
)
def test_an_impossible_row_is_refused(database, change, constraint):
    write(database, add_job)
    with pytest.raises(IntegrityError, match=constraint), database.writing() as session:
        session.execute(text(change))


def test_jobs_are_found_by_status_dataset_and_tag(database):
    a = write(database, add_job, dataset_id="ds_1", tags={"team": "a", "run": "1"}).id
    b = write(database, add_job, dataset_id="ds_2", tags={"team": "b"}).id
    write(database, jobs.cancel, DEFAULT_TENANT, b)

    def found(**filters):
        return [
            row.id for row in read(database, jobs.page, DEFAULT_TENANT, None, 9, **filters).items
        ]

    assert found() == [b, a]
    assert found(status=Status.QUEUED) == [a]
    assert found(dataset_id="ds_2") == [b]
    assert found(tag=("team", None)) == [b, a]
    assert found(tag=("team", "a")) == [a]
    assert found(tag=("run", None)) == [a]
    assert found(tag=("team", "c")) == []
    assert found(status=Status.CANCELLED, dataset_id="ds_1") == []


@pytest.mark.parametrize("value", ["a", None], ids=["one value", "any value"])
def test_tagged_jobs_are_paged_newest_first_whatever_their_values(database, value):
    added = [write(database, add_job, tags={"team": value or name}).id for name in "cabab"]
    found, cursor = [], None
    while not found or cursor:
        page = read(database, jobs.page, DEFAULT_TENANT, cursor, 2, tag=("team", value))
        found += [row.id for row in page.items]
        cursor = page.next_cursor
    assert found == added[::-1]


def test_history_is_recorded_once_whatever_is_repeated(database):
    job = write(database, add_job)
    claimed = write(database, claim)
    write(database, leases.record_epochs, claimed, [epoch(1, loss=0.9), epoch(2, loss=0.8)])
    write(database, leases.record_epochs, claimed, [epoch(1, loss=0.1)])
    write(database, leases.record_epochs, claimed, [epoch(2, loss=0.1), epoch(3, loss=0.7)])
    history = read(database, epochs.history, DEFAULT_TENANT, job.id)
    assert [(row.number, row.step, row.metrics["loss"]) for row in history] == [
        (1, 10, 0.9),
        (2, 20, 0.8),
        (3, 30, 0.7),
    ]
    told = read(database, events.after, DEFAULT_TENANT, job.id, 0)
    assert [each.data["epoch"] for each in told if each.kind == "epoch"] == [1, 2, 3]


def test_the_table_itself_refuses_a_second_row_for_an_epoch(database):
    job = write(database, add_job)
    write(database, epochs.add, DEFAULT_TENANT, job.id, [epoch(1)])
    with pytest.raises(IntegrityError):
        write(database, epochs.add, DEFAULT_TENANT, job.id, [epoch(1)])


def test_the_job_shows_the_metrics_of_its_last_epoch(database):
    job = write(database, add_job)
    claimed = write(database, claim)
    write(database, leases.record_epochs, claimed, [epoch(1, loss=0.9), epoch(2, loss=0.8)])
    row = job_of(database, job.id)
    assert (row.epoch, row.step, row.metrics) == (2, 20, {"loss": 0.8})
