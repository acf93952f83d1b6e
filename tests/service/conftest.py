"""Databases, and the application on one of them with a broker that nobody runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from service.store.database import Database
from tests.service.databases import database, database_url, migrated_sqlite, sqlite, sqlite_url

__all__ = ["database", "database_url", "migrated_sqlite", "sqlite", "sqlite_url"]


@pytest.fixture
def settings(sqlite_url: str, free_port: int) -> Settings:
    """Settings with small limits, so that tests may exceed them."""
    return Settings(
        database_url=sqlite_url,
        broker_url=f"redis://127.0.0.1:{free_port}/0",
        max_body_bytes=200_000,
        max_json_bytes=100_000,
        max_dataset_bytes=1_000_000,
        max_network_bytes=4_000_000,
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """The application; what it raises unexpectedly is raised in the test."""
    with TestClient(create_app(settings)) as client:
        yield client


@pytest.fixture
def stored(client: TestClient) -> Database:
    """The application's own database."""
    database: Database = client.app.state.database  # type: ignore[attr-defined]  # FastAPI's
    return database
