"""Two checkpoints of a job are kept, and none that is of no use any more."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from service.errors import Damaged
from service.store import checkpoints, leases
from service.store.checkpoints import Progress
from service.store.tenants import DEFAULT_TENANT
from tests.service.rows import add_job, claim, count, read, succeed, write


@pytest.fixture
def claimed(database):
    write(database, add_job)
    return write(database, claim)


def keep(database, claimed, *steps):
    for step in steps:
        write(database, leases.checkpoint, claimed, Progress(1, step, 10 * step), b"at %d" % step)


def kept(database, claimed):
    def states(session):
        rows = checkpoints.newest_first(session, DEFAULT_TENANT, claimed.job_id)
        return [(row.progress, checkpoints.read(session, row)) for row in rows]

    return [(at.step, state) for at, state in read(database, states)]


def test_the_last_two_are_kept_and_the_others_leave_no_blob(database, claimed):
    keep(database, claimed, 1, 2, 3, 4)
    assert kept(database, claimed) == [(4, b"at 4"), (3, b"at 3")]
    assert count(database, "job_checkpoints", "blobs", "blob_chunks") == [2, 2, 2]


def test_a_step_that_is_kept_again_does_not_push_the_one_before_out(database, claimed):
    keep(database, claimed, 1, 2, 2)
    assert kept(database, claimed) == [(2, b"at 2"), (1, b"at 1")]


def test_states_that_a_run_has_not_gone_on_from_are_dropped(database, claimed):
    keep(database, claimed, 5, 9, 7)
    assert kept(database, claimed) == [(7, b"at 7"), (5, b"at 5")]
    keep(database, claimed, 1)
    assert kept(database, claimed) == [(1, b"at 1")]
    assert count(database, "blobs") == [1]


def test_it_says_how_far_the_run_was(database, claimed):
    keep(database, claimed, 6)
    (row,) = read(database, checkpoints.newest_first, DEFAULT_TENANT, claimed.job_id)
    assert row.progress == Progress(1, 6, 60)


def test_damaged_bytes_are_told(database, claimed):
    keep(database, claimed, 6)
    change = text("UPDATE blob_chunks SET data = :data")
    write(database, lambda session: session.execute(change, {"data": b"x"}))
    with pytest.raises(Damaged, match="SHA-256"):
        kept(database, claimed)


@pytest.mark.parametrize(
    "end",
    [succeed, leases.cancelled, lambda session, claim: leases.fail(session, claim, {"type": "x"})],
    ids=["succeeded", "cancelled", "failed"],
)
def test_a_final_job_has_none(database, claimed, end):
    keep(database, claimed, 1, 2)
    write(database, end, claimed)
    assert count(database, "job_checkpoints") == [0]
    assert count(database, "blobs") == count(database, "models"), "weights alone are left"
