"""The leaves as a dataset of the application."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.service.jobs.leaves import ROWS


@pytest.fixture
def leaves(client: TestClient) -> str:
    """The id of the uploaded dataset."""
    response = client.post("/v1/datasets", json={"name": "leaves", "rows": ROWS})
    identifier: str = response.json()["id"]
    return identifier
