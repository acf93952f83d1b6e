"""A running service as a test sees it: HTTP, and the processes behind it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import select

from service.cli.events import Event, parse
from service.store.checkpoints import CheckpointRow
from service.store.database import Database
from service.store.jobs import JobRow
from tests.waiting import wait_until

FINAL = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class Service:
    """What acceptance tests drive; every request goes over a real socket."""

    client: httpx.Client
    data_dir: Path
    database_url: str
    processes: list[subprocess.Popen[str]]

    def post(self, path: str, expected: int, **request: Any) -> dict[str, Any]:
        """The JSON answer of a POST that must have this status."""
        response = self.client.post(path, **request)
        assert response.status_code == expected, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def get(self, path: str) -> dict[str, Any]:
        """The JSON answer of a GET that must succeed."""
        response = self.client.get(path)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def upload(self, name: str, content: str | bytes, **fields: str) -> dict[str, Any]:
        """A dataset from a file."""
        data = content.encode() if isinstance(content, str) else content
        return self.post("/v1/datasets", 201, files={"file": (name, data)}, data=fields)

    def finished(self, job: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
        """The job once it is final."""

        def final() -> dict[str, Any] | None:
            now = self.get(f"/v1/jobs/{job['id']}")
            return now if now["status"] in FINAL else None

        found = wait_until(final, seconds, f"job {job['id']} is final")
        assert found is not None
        return found

    def becomes(self, job: dict[str, Any], status: str, seconds: float = 30) -> None:
        """Wait until the job has a status."""
        path = f"/v1/jobs/{job['id']}"
        wait_until(lambda: self.get(path)["status"] == status, seconds, f"the job is {status}")

    def events(self, job: dict[str, Any], last: str | None = None) -> list[Event]:
        """The job's event stream to its end."""
        return list(self.watch(job, last))

    def watch(self, job: dict[str, Any], last: str | None = None) -> Iterator[Event]:
        """The job's events as they come."""
        headers = {"Last-Event-ID": last} if last else {}
        path = f"/v1/jobs/{job['id']}/events"
        with self.client.stream("GET", path, headers=headers) as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            yield from parse(response.iter_lines())

    def holder(self, job: dict[str, Any]) -> psutil.Process:
        """The process that trains the job."""
        database = Database(self.database_url)

        def found() -> int | None:
            with database.reading() as session:
                row = session.get_one(JobRow, job["id"])
                running = row.status == "running" and row.lease_until
                return int(str(row.worker).rpartition(":")[2]) if running else None

        pid = wait_until(found, 60, f"job {job['id']} is trained")
        database.dispose()
        assert pid is not None
        return psutil.Process(pid)

    def checkpointed(self, job: dict[str, Any]) -> None:
        """Wait until a checkpoint of the job is kept."""
        database = Database(self.database_url)
        kept = select(CheckpointRow).where(CheckpointRow.job_id == job["id"]).exists()

        def found() -> bool | None:
            with database.reading() as session:
                return session.scalar(select(kept))

        wait_until(found, 30, f"a checkpoint of job {job['id']} is kept")
        database.dispose()

    def weights_sha256(self, job: dict[str, Any]) -> str:
        """The hash of a succeeded job's weights."""
        sha256: str = self.get(f"/v1/models/{job['model_id']}")["lineage"]["weights_sha256"]
        return sha256

    def family(self) -> list[psutil.Process]:
        """Every process of the service."""
        found = []
        for process in self.processes:
            parent = psutil.Process(process.pid)
            found += [parent, *parent.children(recursive=True)]
        return found
