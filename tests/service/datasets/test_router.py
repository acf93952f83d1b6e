"""Datasets over HTTP, once they are there."""

from __future__ import annotations

import math

import pytest

from service.store import jobs
from service.store.tenants import DEFAULT_TENANT
from tests.service.problem import mistakes_of, problem_of
from tests.service.rows import add_job, count, write

ROWS = [
    {"length": 1.5, "count": 3, "kind": "oak", "old": True},
    {"length": None, "count": 4, "kind": None, "old": False},
    {"length": 2.5, "count": 5, "kind": "oak", "old": None},
]


@pytest.fixture
def dataset(client):
    """The answer to an upload of the rows above."""
    return client.post("/v1/datasets", json={"name": "leaves", "rows": ROWS}).json()


def test_a_dataset_is_what_its_upload_answered(client, dataset):
    assert client.get(f"/v1/datasets/{dataset['id']}").json() == dataset


def test_its_columns_are_profiled(client, dataset):
    length, number, kind, old = dataset["columns"]
    assert (length["min"], length["max"], length["mean"], length["missing"]) == (1.5, 2.5, 2.0, 1)
    assert math.isclose(length["std"], 0.5)
    assert (number["integer"], number["distinct"]) == (True, 3)
    assert (kind["categories"], kind["counts"], kind["missing"]) == (["oak"], [2], 1)
    assert (old["categories"], old["missing"]) == ([False, True], 1)


def test_its_first_rows_come_back_as_they_were_understood(client, dataset):
    path = f"/v1/datasets/{dataset['id']}/rows"
    assert client.get(path).json() == {"items": ROWS}
    assert client.get(f"{path}?limit=1").json() == {"items": ROWS[:1]}


@pytest.mark.parametrize("limit", [0, 101, "oak"])
def test_a_wrong_limit_is_refused(client, dataset, limit):
    response = client.get(f"/v1/datasets/{dataset['id']}/rows?limit={limit}")
    assert mistakes_of(response)[""].startswith("query parameter 'limit': Input should be")


def test_datasets_are_listed_newest_first_page_by_page(client):
    ids = [client.post("/v1/datasets", json={"rows": ROWS}).json()["id"] for _ in range(3)]
    first = client.get("/v1/datasets?limit=2").json()
    assert [item["id"] for item in first["items"]] == [ids[2], ids[1]]
    rest = client.get(f"/v1/datasets?limit=2&cursor={first['next_cursor']}").json()
    assert [item["id"] for item in rest["items"]] == [ids[0]]
    assert rest["next_cursor"] is None


def test_an_empty_list_has_no_next_page(client):
    assert client.get("/v1/datasets").json() == {"items": [], "next_cursor": None}


def test_a_deleted_dataset_is_gone_with_its_data(client, dataset, stored):
    path = f"/v1/datasets/{dataset['id']}"
    response = client.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    for again in (client.get(path), client.get(f"{path}/rows"), client.delete(path)):
        body = problem_of(again, 404, "not-found")
        assert body["detail"] == (
            f"There is no dataset '{dataset['id']}'. List them with GET /v1/datasets."
        )
    assert count(stored, "datasets", "blobs", "blob_chunks") == [0, 0, 0]


def test_a_dataset_that_a_job_needs_is_kept(client, dataset, stored):
    job = write(stored, add_job, dataset_id=dataset["id"])
    path = f"/v1/datasets/{dataset['id']}"
    body = problem_of(client.delete(path), 409, "conflict")
    assert body["detail"] == (
        f"Job {job.id} still needs dataset {dataset['id']}. Wait for it, or cancel it with "
        f"POST /v1/jobs/{job.id}/cancel."
    )
    assert client.get(path).status_code == 200
    write(stored, jobs.cancel, DEFAULT_TENANT, job.id)
    assert client.delete(path).status_code == 204
