"""Every way from one state to another: SQL itself lets pass what the table allows, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from service.store import migrate
from service.store.transitions import ACTIVE, FINAL, TRANSITIONS, Status, forbidden
from tests.service.rows import add_job, read, write

CHECKOUT = Path(migrate.__file__).parents[2]
# One way to each state from the first.
WAY = {
    Status.QUEUED: (),
    Status.RUNNING: (Status.RUNNING,),
    Status.PAUSED: (Status.PAUSED,),
    **{status: (Status.RUNNING, status) for status in FINAL},
}


def become(session, status):
    """Change the status, and with it what the row's other constraints want."""
    change = text("UPDATE jobs SET status = :status, lease_until = :lease, model_id = :model")
    lease = 1 if status == Status.RUNNING else None
    model = "model_0" if status == Status.SUCCEEDED else None
    session.execute(change, {"status": str(status), "lease": lease, "model": model})


def status_of(session, job_id):
    return session.scalar(text("SELECT status FROM jobs WHERE id = :id"), {"id": job_id})


@pytest.mark.parametrize("after", Status)
@pytest.mark.parametrize("before", Status)
def test_sql_allows_what_the_table_allows_and_nothing_else(database, before, after):
    job = write(database, add_job)
    for status in WAY[before]:
        write(database, become, status)
    stays = before == after and before in ACTIVE
    if stays or after in TRANSITIONS.get(before, ()):
        write(database, become, after)
        assert read(database, status_of, job.id) == after
    else:
        with pytest.raises(IntegrityError, match=f"transition|a {before} job cannot become"):
            write(database, become, after)
        assert read(database, status_of, job.id) == before


def test_a_final_state_leads_nowhere():
    assert set(TRANSITIONS) == set(ACTIVE)
    assert {*ACTIVE, *FINAL} == set(Status)


def test_the_migration_wrote_what_the_table_gives(sqlite):
    trigger = text("SELECT sql FROM sqlite_master WHERE name = 'jobs_transition'")
    assert forbidden() in read(sqlite, lambda session: session.scalar(trigger))
