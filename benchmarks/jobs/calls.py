"""What is measured on a running service: one small job at a time, reads, predictions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

ROWS = [{"a": a, "b": b, "xor": a ^ b} for a in (0, 1) for b in (0, 1)]
NETWORK = {
    "layers": [
        {"type": "dense", "units": 3, "activation": "tanh"},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ]
}
FINAL = ("succeeded", "failed", "cancelled")
POLL_SECONDS = 0.005
DEADLINE_SECONDS = 60.0


@dataclass(slots=True)
class Lives:
    """Milliseconds of jobs that ran one after the other, a sample a job.

    `post` is what the client waited for the answer; the others are differences of the job's own
    times, which the database's clock wrote.
    """

    post: list[float] = field(default_factory=list)
    to_running: list[float] = field(default_factory=list)
    to_succeeded: list[float] = field(default_factory=list)


class Service:
    """One kept-alive connection to a service with a dataset of four rows."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        dataset = self._post("/v1/datasets", {"name": "xor", "rows": ROWS})
        self._spec = {
            "dataset_id": dataset["id"],
            "target": "xor",
            "network": NETWORK,
            "epochs": 1,
        }

    def submit(self, **changed: Any) -> dict[str, Any]:
        """A job of one epoch unless changed, as it was answered."""
        return self._post("/v1/jobs", self._spec | changed)

    def cancel(self, job_id: str) -> None:
        """Cancel a job and wait until it is."""
        self._post(f"/v1/jobs/{job_id}/cancel", {})
        self._final(job_id)

    def finish(self, job_id: str, poll_seconds: float = POLL_SECONDS) -> dict[str, Any]:
        """The job once it has succeeded."""
        job = self._final(job_id, poll_seconds)
        if job["status"] != "succeeded":
            raise SystemExit(f"job {job_id} is {job['status']}: {job['error']}")
        return job

    def _final(self, job_id: str, poll_seconds: float = POLL_SECONDS) -> dict[str, Any]:
        give_up_at = time.monotonic() + DEADLINE_SECONDS
        while (job := self._get(f"/v1/jobs/{job_id}"))["status"] not in FINAL:
            if time.monotonic() > give_up_at:
                raise SystemExit(f"job {job_id} is {job['status']} after {DEADLINE_SECONDS:g} s")
            time.sleep(poll_seconds)
        return job

    def lives(self, samples: int) -> Lives:
        """Jobs one after the other, each on an idle stack."""
        found = Lives()
        for _ in range(samples):
            passed, submitted = timed(self.submit)
            job = self.finish(submitted["id"])
            found.post.append(passed)
            found.to_running.append(_between(job, "created_at", "started_at"))
            found.to_succeeded.append(_between(job, "created_at", "finished_at"))
        return found

    def burst(self, samples: int) -> list[float]:
        """Milliseconds of submissions without a pause, while the workers train what came before."""
        answers = [timed(self.submit) for _ in range(samples)]
        for _, job in answers:
            self.finish(job["id"])
        return [passed for passed, _ in answers]

    def seen_running(self, samples: int) -> list[float]:
        """Milliseconds from sending a job to its event `running` at the client."""
        return [self._until_seen_running() for _ in range(samples)]

    def gets(self, samples: int) -> list[float]:
        """Milliseconds to read a final job."""
        path = f"/v1/jobs/{self.finish(self.submit()['id'])['id']}"
        return [timed(lambda: self._get(path))[0] for _ in range(samples)]

    def predictions(self, samples: int) -> list[float]:
        """Milliseconds to predict for one instance, the model in memory."""
        path = f"/v1/models/{self.finish(self.submit()['id'])['model_id']}/predict"
        body = {"instances": [{"a": 0, "b": 1}]}
        self._post(path, body)
        return [timed(lambda: self._post(path, body))[0] for _ in range(samples)]

    def _until_seen_running(self) -> float:
        began = time.perf_counter()
        path = f"/v1/jobs/{self.submit()['id']}/events"
        with self._client.stream("GET", path) as response:
            statuses = _statuses(response)
            next(status for status in statuses if status == "running")
            passed = (time.perf_counter() - began) * 1000
            for _ in statuses:  # to the end, so that the next one starts on an idle stack
                pass
        return passed

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.post(path, json=body).raise_for_status().json()
        return answer

    def _get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.get(path).raise_for_status().json()
        return answer


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds that an action took, and its result."""
    began = time.perf_counter()
    result = action()
    return (time.perf_counter() - began) * 1000, result


def _statuses(response: httpx.Response) -> Iterator[str]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            data = json.loads(line.removeprefix("data: "))
            if "status" in data:
                yield data["status"]


def _between(job: dict[str, Any], first: str, last: str) -> float:
    passed = datetime.fromisoformat(job[last]) - datetime.fromisoformat(job[first])
    return passed.total_seconds() * 1000
