"""Jobs as the service submits them, and their runs in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.datasets import operations as dataset_verbs
from service.datasets.schemas import DatasetCreate
from service.datasets.uploads import Upload
from service.dependencies import Caller
from service.jobs import operations as job_verbs
from service.jobs.schemas import JobCreate
from service.settings import Settings
from service.store import jobs
from service.store.database import Database
from service.store.jobs import JobRow
from service.store.leases import Claim
from service.store.tenants import DEFAULT_TENANT
from tests.service.databases import database, database_url, migrated_sqlite, sqlite, sqlite_url
from tests.service.rows import claim, read, write
from worker.run import run

__all__ = ["database", "database_url", "migrated_sqlite", "sqlite", "sqlite_url"]

CALLER = Caller(DEFAULT_TENANT)
ROWS = [{"a": n % 5, "b": n % 3, "y": "high" if n % 5 > 2 else "low"} for n in range(60)]
NETWORK = {"layers": [{"type": "dense", "units": 2}]}


@pytest.fixture
def settings() -> Settings:
    """Beats that are short enough for a test to meet some."""
    return Settings(lease_seconds=30, heartbeat_seconds=0.02, workers=2)


@pytest.fixture
def submit(settings: Settings) -> Callable[..., str]:
    """Submit a job on a dataset of its own; its id."""

    def submit(database: Database, rows: Any = None, arrays: Any = None, **given: Any) -> str:
        data = {"arrays": arrays} if arrays else {"rows": rows or ROWS}
        upload = Upload("leaves", 1, "0" * 64, document=DatasetCreate.model_validate(data))
        readied = dataset_verbs.ready(upload, settings)
        dataset_id = write(database, dataset_verbs.add, CALLER, readied).id
        document = {"target": "y", "network": NETWORK, "epochs": 3} | given
        document = {name: value for name, value in document.items() if value is not None}
        job = JobCreate.model_validate(document | {"dataset_id": dataset_id})
        return write(database, job_verbs.submit, CALLER, settings, job).id

    return submit


@pytest.fixture
def train(settings: Settings) -> Callable[..., JobRow]:
    """Claim the next job and run it to its end; its row afterwards."""

    def train(
        database: Database,
        claimed: Claim | None = None,
        stopping: Callable[[], bool] = lambda: False,
        **changed: Any,
    ) -> JobRow:
        held = claimed or write(database, claim)
        run(database, held, settings.model_copy(update=changed), stopping)
        return read(database, jobs.get, DEFAULT_TENANT, held.job_id)

    return train
