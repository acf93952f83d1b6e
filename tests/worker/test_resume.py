"""A run that was interrupted goes on from its checkpoint and ends as if nothing had happened."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from service.store import blobs, checkpoints, epochs, events, jobs, models
from service.store.tenants import DEFAULT_TENANT
from service.store.transitions import Status
from tests.service.rows import claim, count, expire, read, write
from worker import checkpoint
from worker.heartbeat import Heartbeat

HARD = {
    "network": {
        "layers": [
            {"type": "dense", "units": 8, "activation": "relu"},
            {"type": "batch_norm"},
            {"type": "dropout", "rate": 0.5},
            {"type": "dense", "units": 2},
        ]
    },
    "optimizer": {"type": "adam", "learning_rate": 0.02},
    "schedule": {"type": "cosine", "warmup_steps": 3},
    "early_stopping": {"metric": "val_loss", "patience": 3, "restore_best": True},
    "test": {"fraction": 0.1},
    "batch_size": 10,  # five steps an epoch
    "epochs": 5,
    "seed": 4,
}
PLAIN = {"epochs": 4, "batch_size": 10}


@pytest.fixture(autouse=True)
def _as_often_as_wanted(monkeypatch):
    """Checkpoints may take whatever time they need."""
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)


class Killed(BaseException):
    """Stands for a process that ends at once: nothing that the run could do follows it."""


def results(database, row):
    """What a run leaves: weights, metrics, history, the model's own."""
    assert row.status == Status.SUCCEEDED, row.error
    model = read(database, models.get, DEFAULT_TENANT, row.model_id)
    weights = read(database, blobs.read, DEFAULT_TENANT, model.weights_id)
    history = read(database, epochs.history, DEFAULT_TENANT, row.id)
    told = [(each.number, each.step, each.metrics) for each in history]
    return weights, row.metrics, told, model.metrics, (row.epoch, row.step)


def messages(database, row):
    told = read(database, events.after, DEFAULT_TENANT, row.id, 0)
    return [each.data["message"] for each in told if each.kind == "log"]


@pytest.fixture
def undisturbed(sqlite, submit, train):
    """The results of a job of the same spec that nothing happens to."""

    def undisturbed(**spec):
        submit(sqlite, **spec)
        return results(sqlite, train(sqlite))

    return undisturbed


@pytest.fixture
def kill(sqlite, train, monkeypatch):
    """Run the next job and kill its process after so many steps of this attempt; its row."""

    def kill(after_steps, **settings):
        held, asked = write(sqlite, claim), 0

        def die():
            nonlocal asked
            asked += 1
            if asked > after_steps:
                raise Killed
            return False

        with pytest.raises(Killed):
            train(sqlite, held, die, heartbeat_seconds=60, **settings)
        write(sqlite, expire, held.job_id)
        return read(sqlite, jobs.get, DEFAULT_TENANT, held.job_id)

    return kill


@pytest.fixture
def steps_taken(monkeypatch):
    """The steps that are taken from here on."""
    taken = []
    report = Heartbeat.report

    def counted(heart, epoch, step):
        taken.append(step)
        report(heart, epoch, step)

    monkeypatch.setattr(Heartbeat, "report", counted)
    return taken


@pytest.mark.parametrize("steps", [1, 2, 4, 5, 6, 11, 19, 20])
def test_a_killed_run_goes_on_to_the_same_bytes(
    sqlite, submit, train, undisturbed, kill, steps, steps_taken
):
    expected = undisturbed(**HARD)
    submit(sqlite, **HARD)
    killed = kill(steps, checkpoint_seconds=1e-9)
    assert killed.step == steps
    steps_taken.clear()
    row = train(sqlite, checkpoint_seconds=1e-9)
    assert (row.id, row.attempt) == (killed.id, 2)
    assert results(sqlite, row) == expected
    assert steps_taken[0] == steps + 1
    assert messages(sqlite, row) == [f"Goes on after step {steps}"]
    assert count(sqlite, "job_checkpoints") == [0]


def test_a_run_that_is_interrupted_at_every_step_ends_in_the_same_bytes(
    sqlite, submit, train, undisturbed
):
    expected = undisturbed(**HARD)
    submit(sqlite, **HARD)
    for _ in range(100):
        row = train(sqlite, stopping=lambda: True)
        if row.status != Status.QUEUED:
            break
    assert row.attempt == 1, "stopping a worker costs no attempt"
    assert results(sqlite, row) == expected


def test_a_run_without_a_checkpoint_begins_anew(sqlite, submit, train, undisturbed, kill):
    expected = undisturbed(**PLAIN)
    submit(sqlite, **PLAIN)
    kill(9)
    assert count(sqlite, "job_checkpoints") == [0]
    row = train(sqlite)
    assert results(sqlite, row) == expected
    assert messages(sqlite, row) == []


@pytest.fixture
def damage(sqlite):
    """Flip a bit in the middle of the job's newest checkpoints, so many of them."""

    def damage(job_id, number):
        with sqlite.writing() as session:
            rows = checkpoints.newest_first(session, DEFAULT_TENANT, job_id)
            for row in rows[:number]:
                data = bytearray(checkpoints.read(session, row))
                data[len(data) // 2] ^= 1
                change = text("UPDATE blob_chunks SET data = :data WHERE blob_id = :id")
                session.execute(change, {"data": bytes(data), "id": row.blob_id})

    return damage


@pytest.mark.parametrize(("damaged", "first_step"), [(1, 7), (2, 1)])
def test_a_damaged_checkpoint_is_passed_over(
    sqlite, submit, train, undisturbed, kill, damage, steps_taken, damaged, first_step
):
    expected = undisturbed(**HARD)
    submit(sqlite, **HARD)
    damage(kill(7, checkpoint_seconds=1e-9).id, damaged)
    steps_taken.clear()
    row = train(sqlite)
    assert results(sqlite, row) == expected
    assert steps_taken[0] == first_step
    told = messages(sqlite, row)
    assert told[0] == "The checkpoint of step 7 is damaged and is passed over"
    assert len(told) == 2


def test_a_state_of_another_kind_is_passed_over_and_leaves_no_trace(
    sqlite, submit, train, undisturbed, kill, monkeypatch
):
    expected = undisturbed(**PLAIN)
    submit(sqlite, **PLAIN)
    with monkeypatch.context() as patch:
        patch.setattr("nncore.course.VERSION", 0)
        kill(7, checkpoint_seconds=1e-9)
    assert results(sqlite, train(sqlite)) == expected


def test_a_paused_run_keeps_its_state_and_goes_on_when_it_is_resumed(
    database, submit, train, steps_taken
):
    spec = PLAIN | {"epochs": 2000}
    for _ in range(2):
        submit(database, **spec)
    expected = results(database, train(database))
    held = write(database, claim)
    write(database, jobs.pause, DEFAULT_TENANT, held.job_id)
    steps_taken.clear()
    row = train(database, held, checkpoint_seconds=1000)
    assert (row.status, row.attempt, row.lease_until) == (Status.PAUSED, 0, None)
    assert row.step == steps_taken[-1] < row.steps
    assert count(database, "job_checkpoints") == [1]
    write(database, jobs.resume, DEFAULT_TENANT, row.id)
    again = train(database)
    assert (again.id, again.attempt) == (row.id, 1)
    assert steps_taken == list(range(1, again.steps + 1)), "no step is taken twice"
    assert results(database, again) == expected


def test_the_progress_of_a_resumed_run_goes_on_where_it_was(sqlite, submit, train, kill):
    submit(sqlite, **PLAIN)
    killed = kill(7, checkpoint_seconds=1e-9)
    resumed = write(sqlite, claim)
    assert resumed.reached.step == killed.step == 7
    assert read(sqlite, jobs.get, DEFAULT_TENANT, killed.id).step == 7
    row = train(sqlite, resumed)
    assert row.training_ms >= killed.training_ms
    assert row.spent_ms >= killed.spent_ms
