"""A tenant neither sees nor touches what belongs to another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.errors import Damaged, LeaseLost, NotFound
from service.store import blobs, datasets, epochs, events, idempotency, jobs, leases, models
from service.store.idempotency import IdempotencyRow
from tests.service.rows import (
    add_dataset,
    add_job,
    add_model,
    claim,
    epoch,
    read,
    write,
)

MINE, THEIRS = "mine", "theirs"


@pytest.fixture
def theirs(database):
    """One of everything, of another tenant; the job is running."""
    dataset = write(database, add_dataset, THEIRS)
    job = write(database, add_job, THEIRS, dataset_id=dataset.id, tags={"team": "a"})
    claimed = write(database, claim)
    write(database, leases.record_epochs, claimed, [epoch(1)])
    model = write(database, add_model, THEIRS)
    return {
        "dataset": dataset.id,
        "blob": dataset.blob_id,
        "job": job.id,
        "model": model.id,
        "claim": claimed,
    }


LOOK_UPS = {
    "datasets.get": (datasets.get, "dataset", NotFound),
    "datasets.remove": (datasets.remove, "dataset", NotFound),
    "jobs.get": (jobs.get, "job", NotFound),
    "jobs.cancel": (jobs.cancel, "job", NotFound),
    "jobs.remove": (jobs.remove, "job", NotFound),
    "models.get": (models.get, "model", NotFound),
    "models.remove": (models.remove, "model", NotFound),
    "blobs.read": (blobs.read, "blob", Damaged),
}


@pytest.mark.parametrize(("look_up", "kind", "refusal"), LOOK_UPS.values(), ids=LOOK_UPS)
def test_what_is_theirs_does_not_exist_for_me(database, theirs, look_up, kind, refusal):
    with pytest.raises(refusal):
        write(database, look_up, MINE, theirs[kind])


def test_a_held_dataset_must_be_mine_too(database, theirs):
    with pytest.raises(NotFound):
        write(database, datasets.get, MINE, theirs["dataset"], hold=True)


def test_lists_show_only_mine(database, theirs):
    for page in (datasets.page, jobs.page, models.page):
        assert read(database, page, MINE, None, 9).items == []
        assert len(read(database, page, THEIRS, None, 9).items) == 1
    assert read(database, jobs.page, MINE, None, 9, tag=("team", "a")).items == []
    assert read(database, jobs.page, MINE, None, 9, dataset_id=theirs["dataset"]).items == []


def test_a_job_of_theirs_tells_me_nothing(database, theirs):
    assert read(database, jobs.look, MINE, theirs["job"]) is None
    assert read(database, epochs.history, MINE, theirs["job"]) == []
    assert read(database, epochs.last, MINE, theirs["job"]) == 0
    assert read(database, events.after, MINE, theirs["job"], 0) == []


def test_a_job_of_theirs_does_not_hold_my_dataset(database, theirs):
    assert read(database, jobs.needing, MINE, theirs["dataset"]) is None


def test_removing_their_blob_as_mine_removes_nothing(database, theirs):
    write(database, blobs.remove, MINE, theirs["blob"])
    assert read(database, blobs.read, THEIRS, theirs["blob"]) == b"12345678"


def test_a_claim_of_another_tenant_fences_nothing(database, theirs):
    held = theirs["claim"]
    forged = replace(held, tenant=MINE)
    for forbidden in (
        lambda session: leases.beat(session, forged, 60, None),
        lambda session: leases.log(session, forged, "mine"),
        lambda session: leases.cancelled(session, forged),
    ):
        with pytest.raises(LeaseLost):
            write(database, forbidden)


def test_the_same_key_is_another_one_for_each_tenant(database):
    for tenant in (MINE, THEIRS):
        row = IdempotencyRow(
            tenant=tenant, key="k", request_sha256="", status=201, location=tenant, body={}
        )
        write(database, idempotency.record, row)
    assert read(database, idempotency.find, MINE, "k").location == MINE
    assert read(database, idempotency.find, "third", "k") is None
