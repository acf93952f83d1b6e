"""Holding a claim: what is renewed, tried again and given up."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service.errors import LeaseLost
from service.store import epochs, jobs, leases
from service.store.checkpoints import Progress
from service.store.tenants import DEFAULT_TENANT
from service.store.transitions import Status
from tests.service.rows import add_job, claim, epoch, expire, read, take_over, write
from tests.waiting import wait_until
from worker import heartbeat
from worker.heartbeat import BudgetExceeded, CancelRequested, Heartbeat


@pytest.fixture
def hold(sqlite, settings, monkeypatch):
    """Hold a claim on a fresh job."""
    monkeypatch.setattr(heartbeat, "RETRY_SECONDS", 0)

    def hold(stopping=lambda: False, given=None, give_up=lambda: None, **changed):
        write(sqlite, add_job, **given or {})
        return Heartbeat(
            sqlite, write(sqlite, claim), settings.model_copy(update=changed), stopping, give_up
        )

    return hold


def broken():
    return OperationalError("SELECT 1", {}, Exception("the database is away"))


def history(database, heart):
    rows = read(database, epochs.history, DEFAULT_TENANT, heart.claim.job_id)
    return [row.number for row in rows]


def test_a_fresh_claim_has_nothing_against_going_on(hold):
    hold().check()


def test_the_reported_progress_is_written_by_the_next_beat(hold, sqlite):
    with hold() as heart:
        heart.report(epoch=2, step=17)
        wait_until(
            lambda: read(sqlite, jobs.get, DEFAULT_TENANT, heart.claim.job_id).step == 17,
            30,
            "the beat has written the step",
        )


def test_a_cancel_reaches_the_training_thread(hold, sqlite):
    def checked(heart):
        try:
            heart.check()
        except CancelRequested:
            return True
        return False

    with hold() as heart:
        write(sqlite, jobs.cancel, DEFAULT_TENANT, heart.claim.job_id)
        wait_until(lambda: checked(heart), 30, "the beat has seen the cancel")


def test_a_lost_lease_reaches_the_training_thread(hold, sqlite):
    with hold() as heart:
        write(sqlite, take_over, heart.claim.job_id)
        wait_until(lambda: not heart._thread.is_alive(), 30, "the beats have ended")
        with pytest.raises(LeaseLost, match="token 1 is not the latest"):
            heart.check()


def test_a_lease_that_was_not_renewed_in_time_is_given_up_before_it_ends(hold):
    heart = hold(lease_seconds=0.01, heartbeat_seconds=60)

    def given_up():
        try:
            heart.check()
        except LeaseLost as lost:
            return "could not be renewed in time" in lost.detail
        return False

    wait_until(given_up, 30, "the lease is given up")


def test_a_worker_that_stops_and_an_owner_that_pauses_let_the_run_rest(hold, sqlite):
    assert hold(stopping=lambda: True).asked_to_rest
    with hold() as heart:
        assert not heart.asked_to_rest
        write(sqlite, jobs.pause, DEFAULT_TENANT, heart.claim.job_id)
        wait_until(lambda: heart.asked_to_rest, 30, "the beat has seen the pause")
        heart.check()


def test_a_budget_counts_the_attempts_before(hold, sqlite):
    heart = hold(given={"budget_seconds": 1000})
    heart.check()
    spent = text("UPDATE jobs SET spent_ms = 1000000")
    write(sqlite, lambda session: session.execute(spent))
    write(sqlite, expire, heart.claim.job_id)
    again = Heartbeat(sqlite, write(sqlite, claim), heart._settings, lambda: False)
    wait_until(lambda: again.elapsed_ms > 0, 30, "a millisecond has passed")
    with pytest.raises(BudgetExceeded):
        again.check()


def test_the_time_of_earlier_steps_counts_to_the_progress(hold, sqlite):
    heart = hold()
    heart.begin(Progress(1, 4, 700), "Goes on after step 4")
    row = read(sqlite, jobs.get, DEFAULT_TENANT, heart.claim.job_id)
    assert (row.epoch, row.step, row.training_ms) == (1, 4, 700)
    assert heart.progress(1, 5).training_ms >= 700


def test_a_spent_budget_interrupts_the_run(hold):
    heart = hold(given={"budget_seconds": 1e-9})
    wait_until(lambda: heart.elapsed_ms > 0, 30, "a millisecond has passed")
    with pytest.raises(BudgetExceeded):
        heart.check()


def test_a_write_is_tried_again_while_the_database_fails(hold, sqlite):
    heart = hold()
    failures = iter([broken(), broken()])

    def action(session):
        if failure := next(failures, None):
            raise failure
        leases.log(session, heart.claim, "at last")
        return "written"

    assert heart.write(action) == "written"


def test_a_write_is_given_up_with_the_lease(hold):
    heart = hold(lease_seconds=0.01)

    def action(session):
        raise broken()

    with pytest.raises(OperationalError):
        heart.write(action)


def test_a_stale_write_is_not_tried_again(hold, sqlite):
    heart = hold()
    write(sqlite, take_over, heart.claim.job_id)
    with pytest.raises(LeaseLost):
        heart.write(lambda session: leases.log(session, heart.claim, "too late"))


def test_short_epochs_are_written_together_and_none_is_lost(hold, sqlite, monkeypatch):
    monkeypatch.setattr(heartbeat, "RECORD_SECONDS", 3600)
    with hold() as heart:
        for number in range(1, 8):
            heart.record(epoch(number))
        assert history(sqlite, heart) == []
        heart.finish(lambda session: leases.cancelled(session, heart.claim))
    assert history(sqlite, heart) == [1, 2, 3, 4, 5, 6, 7]
    row = read(sqlite, jobs.get, DEFAULT_TENANT, heart.claim.job_id)
    assert (row.status, row.epoch) == (Status.CANCELLED, 7)


def test_a_long_epoch_is_written_at_once(hold, sqlite, monkeypatch):
    monkeypatch.setattr(heartbeat, "RECORD_SECONDS", 0)
    with hold() as heart:
        for number in (1, 2):
            heart.record(epoch(number))
            assert history(sqlite, heart) == list(range(1, number + 1))


def test_after_the_end_nobody_beats(hold):
    with hold() as heart:
        heart.finish(lambda session: leases.release(session, heart.claim))
        assert not heart._thread.is_alive()


def test_a_run_that_hangs_beyond_its_budget_is_given_up(hold):
    given_up = threading.Event()
    with hold(given={"budget_seconds": 1e-9}, give_up=given_up.set, lease_seconds=0.1):
        assert given_up.wait(60)


def test_a_run_may_end_its_step_before_it_is_given_up(hold, sqlite):
    given_up = threading.Event()
    with hold(given={"budget_seconds": 1e-9}, give_up=given_up.set) as heart:
        before = read(sqlite, jobs.get, DEFAULT_TENANT, heart.claim.job_id).lease_until
        wait_until(
            lambda: (
                read(sqlite, jobs.get, DEFAULT_TENANT, heart.claim.job_id).lease_until != before
            ),
            30,
            "a beat has passed",
        )
        with pytest.raises(BudgetExceeded):
            heart.check()
    assert not given_up.is_set()
