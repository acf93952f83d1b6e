"""The checks of a campaign see what they are there to see."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import text

from service.store import blobs
from tests.faults import invariants
from tests.faults.jobs import outcome
from tests.service.rows import write
from tests.worker.conftest import (
    database,
    database_url,
    migrated_sqlite,
    settings,
    sqlite,
    sqlite_url,
    submit,
    train,
)

__all__ = [
    "database",
    "database_url",
    "migrated_sqlite",
    "settings",
    "sqlite",
    "sqlite_url",
    "submit",
    "train",
]


@pytest.fixture
def done(sqlite, submit, train):
    """A job that has succeeded."""
    submit(sqlite)
    return train(sqlite).id


@pytest.fixture
def stack(sqlite):
    """What the checks need of a stack."""
    return SimpleNamespace(database=sqlite, finals={})


def change(stack, statement):
    """Change the tables as nothing in the service would."""
    with stack.database.writing() as session:
        session.execute(text(statement))


def test_an_undisturbed_job_violates_nothing(stack, done):
    assert invariants.check(stack, [done], outcome(stack.database, done)) == []
    assert invariants.executions(stack, [done]) == {done: 1}


def test_a_job_that_is_gone_is_told(stack):
    assert invariants.check(stack, ["job_1"]) == ["job_1: accepted, but there is no such job"]


def test_a_job_that_is_not_final_is_told(stack, sqlite, submit):
    job = submit(sqlite)
    assert invariants.check(stack, [job]) == [f"{job}: is queued, not final"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM job_epochs WHERE number = 2", "its history has the epochs [1, 3]"),
        ("DELETE FROM job_epochs WHERE number = 3", "succeeded with 2 of 3 epochs"),
        (
            "UPDATE job_events SET data = '{\"epoch\": 2}' WHERE kind = 'epoch'",
            "its events tell other epochs",
        ),
        ("UPDATE jobs SET token = token + 1", "1 claims gave 2 tokens"),
        ("UPDATE jobs SET event_seq = event_seq + 1", "its last event is"),
        ("DELETE FROM job_events WHERE data LIKE '%succeeded%'", "but its events tell"),
        ("UPDATE jobs SET attempt = 2", "its model is of attempt 1, it ended with 2"),
        ("UPDATE models SET job_id = 'job_other'", "model without its job"),
        ("UPDATE models SET id = 'model_other'", "job without its model"),
        ("DELETE FROM blob_chunks", "blob of another size"),
    ],
)
def test_what_is_wrong_in_the_tables_is_told(stack, done, statement, words):
    change(stack, statement)
    assert words in "\n".join(invariants.check(stack, [done]))


def test_a_blob_of_nobody_is_told(stack, done):
    blob = write(stack.database, blobs.write, "default", b"?").id
    assert invariants.check(stack, [done]) == [f"blob without an owner: {blob}"]


def test_a_final_job_that_changes_is_told(stack, done):
    assert invariants.check(stack, [done]) == []
    change(stack, "UPDATE jobs SET finished_at = finished_at + 1")
    (told,) = invariants.check(stack, [done])
    assert "was final as" in told


def test_other_weights_and_another_history_are_told(stack, sqlite, submit, train, done):
    submit(sqlite, seed=8)
    other = train(sqlite).id
    told = invariants.check(stack, [other], outcome(stack.database, done))
    assert [word in "\n".join(told) for word in ("weights", "metrics", "history")] == [True] * 3
