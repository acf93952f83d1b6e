"""What the API answers while the database's disk is full, and that nothing half-written stays."""

from __future__ import annotations

import pytest

from tests.service.disk import Disk
from tests.service.problem import problem_of
from tests.service.rows import count

ROWS = [{"x": n, "y": n % 2} for n in range(2000)]
KEY = {"Idempotency-Key": "a"}


@pytest.fixture
def disk(stored):
    return Disk(stored)


def test_an_upload_is_refused_with_the_reason_and_can_be_repeated(client, stored, disk):
    tables = "datasets", "blobs", "blob_chunks", "idempotency_keys"
    with disk.full():
        response = client.post("/v1/datasets", json={"rows": ROWS}, headers=KEY)
    body = problem_of(response, 503, "unavailable")
    assert body["detail"] == "The database's disk is full. Free some space; nothing was stored."
    assert response.headers["retry-after"]
    assert count(stored, *tables) == [0, 0, 0, 0]
    assert client.post("/v1/datasets", json={"rows": ROWS}, headers=KEY).status_code == 201
    assert count(stored, *tables) == [1, 1, 1, 1]


def test_what_is_stored_can_be_read_all_the_while(client, disk):
    dataset = client.post("/v1/datasets", json={"rows": ROWS}).json()
    with disk.full():
        assert client.get(f"/v1/datasets/{dataset['id']}").status_code == 200
        assert client.get("/readyz").status_code == 200
