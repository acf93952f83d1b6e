"""The jobs of the campaign: small, with every kind of state that a resume has to bring back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import select

from service.store import epochs
from service.store.database import Database
from service.store.jobs import JobRow
from service.store.models import ModelRow
from service.store.transitions import FINAL
from tests.faults.stack import Stack
from tests.waiting import wait_until

FINISH_SECONDS = 60.0
UNDISTURBED_TRIES = 5  # where a worker hardly gets to run, it loses a lease with nobody's help
LAYERS = [
    {"type": "dense", "units": 8, "activation": "tanh"},
    {"type": "dropout", "rate": 0.1},
    {"type": "dense", "units": 2},
]
SPEC: dict[str, Any] = {
    "target": "y",
    "network": {"layers": LAYERS},
    "loss": "cross_entropy",
    "metrics": ["accuracy"],
    "batch_size": 1,
    "validation": {"fraction": 0.2},
}
# What a job costs undisturbed: a tenth of a second, half of one that becomes a second where others
# compute as well, two, and longer than anybody waits.
SPECS: dict[str, dict[str, Any]] = {
    "short": SPEC | {"epochs": 3},
    "second": SPEC | {"epochs": 20},
    "long": SPEC | {"epochs": 60},
    "endless": SPEC | {"epochs": 1_000_000},
}
ROWS = [{"x": n % 17, "z": (n * 7) % 11, "y": n % 2} for n in range(200)]


@dataclass(frozen=True)
class Undisturbed:
    """How a spec ends when nothing happens."""

    weights_sha256: str
    metrics: dict[str, float]
    history: tuple[tuple[int, int, str], ...]  # number, step, metrics


def submit(stack: Stack, spec: str, /, **more: Any) -> str:
    """Submit a spec by its name; the id of the accepted job."""
    body = SPECS[spec] | {"dataset_id": dataset(stack)} | more
    return str(stack.service.post("/v1/jobs", 202, json=body)["id"])


def dataset(stack: Stack) -> str:
    """The dataset of every job, uploaded once a stack."""
    if "dataset" not in stack.undisturbed:
        stack.undisturbed["dataset"] = stack.service.post("/v1/datasets", 201, json={"rows": ROWS})[
            "id"
        ]
    return str(stack.undisturbed["dataset"])


def undisturbed(stack: Stack, name: str) -> Undisturbed:
    """How the spec ends, from one run of it on this stack that nothing happens to."""
    found = stack.undisturbed.get(name)
    if not isinstance(found, Undisturbed):
        for _ in range(UNDISTURBED_TRIES):
            job = submit(stack, name)
            (row,) = finished(stack, [job], 2 * FINISH_SECONDS)
            if row.attempt == 1:
                break
        assert (row.status, row.attempt) == ("succeeded", 1), f"{row.status}: {row.error}"
        found = stack.undisturbed[name] = outcome(stack.database, job)
    return found


def outcome(database: Database, job: str) -> Undisturbed:
    """How a succeeded job ended, from the tables."""
    with database.reading() as session:
        row = session.get_one(JobRow, job)
        model = session.get_one(ModelRow, row.model_id)
        told = epochs.history(session, row.tenant, job)
        history = tuple((each.number, each.step, repr(each.metrics)) for each in told)
        return Undisturbed(model.lineage["weights_sha256"], model.metrics, history)


def rows(stack: Stack, jobs: Sequence[str]) -> list[JobRow]:
    """The jobs' rows, in the order of their ids."""
    with stack.database.reading() as session:
        query = select(JobRow).where(JobRow.id.in_(jobs)).order_by(JobRow.id)
        return list(session.scalars(query))


def finished(stack: Stack, jobs: Sequence[str], seconds: float = FINISH_SECONDS) -> list[JobRow]:
    """The jobs' rows once all are final; AssertionError with their states if they are not."""
    states: list[str] = []

    def final() -> list[JobRow] | None:
        found = rows(stack, jobs)
        states[:] = [f"{row.id} {row.status} attempt {row.attempt}" for row in found]
        return found if all(row.status in FINAL for row in found) else None

    try:
        result = wait_until(final, seconds, "every job is final", 0.05)
    except AssertionError as late:
        raise AssertionError(f"{late}: {'; '.join(states)}") from None
    assert result is not None
    return result


def becomes(stack: Stack, job: str, status: str, seconds: float = 30.0) -> float:
    """Wait until the job has a status; how many seconds that took."""
    began = time.monotonic()
    wait_until(lambda: rows(stack, [job])[0].status == status, seconds, f"{job} is {status}", 0.01)
    return time.monotonic() - began


def patiently(stack: Stack, method: str, path: str, **request: Any) -> httpx.Response:
    """A request that is repeated while the API is away or says that it is."""

    def answer() -> httpx.Response | None:
        try:
            response = stack.service.client.request(method, path, **request)
        except httpx.TransportError:
            return None
        return None if response.status_code == 503 else response

    found = wait_until(answer, FINISH_SECONDS, f"{method} {path} is answered", 0.1)
    assert found is not None
    return found
