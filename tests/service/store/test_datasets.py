"""Stored datasets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.errors import Conflict, NotFound
from service.store import datasets, jobs
from service.store.tenants import DEFAULT_TENANT
from tests.service.rows import NUMBER, add_dataset, add_job, claim, count, read, succeed, write


def test_a_dataset_comes_back_with_its_data(database):
    dataset_id = write(database, add_dataset, name="oak", data=b"columns").id
    with database.reading() as session:
        row = datasets.get(session, DEFAULT_TENANT, dataset_id)
        assert (row.name, row.format, row.bytes, row.rows) == ("oak", "csv", 8, 2)
        assert row.columns == [NUMBER]
        assert datasets.data(session, row) == b"columns"
        assert row.created_at > 0


def test_an_unknown_dataset_is_not_found(database):
    for look_up in (datasets.get, datasets.remove):
        with pytest.raises(NotFound, match="There is no dataset 'ds_0'. List them with GET"):
            write(database, look_up, DEFAULT_TENANT, "ds_0")


def test_a_removed_dataset_takes_its_data_along(database):
    dataset_id = write(database, add_dataset).id
    write(database, datasets.remove, DEFAULT_TENANT, dataset_id)
    assert count(database, "datasets", "blobs", "blob_chunks") == [0, 0, 0]


def test_a_dataset_that_a_queued_or_running_job_needs_is_kept(database):
    dataset_id = write(database, add_dataset).id
    job = write(database, add_job, dataset_id=dataset_id)
    needed = f"Job {job.id} still needs dataset {dataset_id}. Wait for it, or cancel it with POST"
    with pytest.raises(Conflict, match=needed):
        write(database, datasets.remove, DEFAULT_TENANT, dataset_id)
    claimed = write(database, claim)
    with pytest.raises(Conflict, match=needed):
        write(database, datasets.remove, DEFAULT_TENANT, dataset_id)
    write(database, succeed, claimed)
    write(database, datasets.remove, DEFAULT_TENANT, dataset_id)


def test_a_dataset_that_only_another_job_needs_may_go(database):
    dataset_id = write(database, add_dataset).id
    write(database, add_job, dataset_id="ds_0")
    write(database, datasets.remove, DEFAULT_TENANT, dataset_id)


def test_a_job_and_the_removal_of_its_dataset_cannot_both_win(database):
    for _ in range(5):
        dataset_id = write(database, add_dataset).id

        def submit(dataset_id=dataset_id):
            with database.writing() as session:
                try:
                    datasets.get(session, DEFAULT_TENANT, dataset_id, hold=True)
                except NotFound:
                    return False
                add_job(session, dataset_id=dataset_id)
                return True

        def remove(dataset_id=dataset_id):
            try:
                write(database, datasets.remove, DEFAULT_TENANT, dataset_id)
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(2) as threads:
            outcomes = [threads.submit(verb) for verb in (submit, remove)]
        submitted, removed = (outcome.result() for outcome in outcomes)
        assert submitted != removed
        needed = read(database, jobs.needing, DEFAULT_TENANT, dataset_id)
        assert (needed is not None) == submitted
