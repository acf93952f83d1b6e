"""Jobs survive what happens to the processes around them, and end as if nothing had happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import distributed, embedded
from tests.acceptance.service import Service
from tests.servers.postgres import PostgresCluster
from tests.servers.redis import start_redis
from tests.waiting import wait_until

LONG = {"epochs": 600, "batch_size": 1}  # a few seconds
SHORT = {"epochs": 5}
ENDLESS = {"epochs": 1_000_000, "batch_size": 1}


@pytest.fixture(scope="module")
def spec(service: Service) -> dict[str, Any]:
    return spec_on(service)


def spec_on(service: Service) -> dict[str, Any]:
    rows = [{"x": n, "y": n % 2} for n in range(200)]
    dataset = service.post("/v1/datasets", 201, json={"rows": rows})
    return {
        "dataset_id": dataset["id"],
        "target": "y",
        "network": {"layers": [{"type": "dense", "units": 4}, {"type": "dense", "units": 2}]},
        "loss": "cross_entropy",
    }


def submit(service: Service, spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    return service.post("/v1/jobs", 202, json=spec | more)


@pytest.fixture(scope="module")
def undisturbed(service: Service, spec: dict[str, Any]) -> dict[str, Any]:
    """A long job that nothing happens to."""
    return service.finished(submit(service, spec, **LONG))


def epochs_of(service: Service, job: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = service.get(f"/v1/jobs/{job['id']}/history")["items"]
    return items


def goes_on(service: Service, job: dict[str, Any], behind: int = 0) -> int:
    """Wait until the job has trained more steps; how many."""

    def step() -> int | None:
        now: int = service.get(f"/v1/jobs/{job['id']}")["progress"]["step"]
        return now if now > behind else None

    found = wait_until(step, 30, "the job goes on")
    assert found is not None
    return found


def assert_same(service: Service, job: dict[str, Any], undisturbed: dict[str, Any]) -> None:
    assert job["status"] == "succeeded", job["error"]
    assert service.weights_sha256(job) == service.weights_sha256(undisturbed)
    assert job["metrics"] == undisturbed["metrics"]
    assert epochs_of(service, job) == epochs_of(service, undisturbed)


def resumed_from(service: Service, job: dict[str, Any]) -> list[int]:
    """The steps that attempts have gone on from."""
    told = [event.data["message"] for event in service.events(job) if event.kind == "log"]
    return [int(message.rpartition(" ")[2]) for message in told if "Goes on" in message]


def test_a_paused_job_goes_on_to_the_same_bytes(service: Service, spec: dict, undisturbed: dict):
    job = submit(service, spec, **LONG)
    step = goes_on(service, job)
    service.post(f"/v1/jobs/{job['id']}/pause", 202)
    service.becomes(job, "paused")
    paused = service.get(f"/v1/jobs/{job['id']}")
    assert step <= paused["progress"]["step"] < paused["progress"]["steps"]
    service.post(f"/v1/jobs/{job['id']}/resume", 202)
    done = service.finished(job)
    assert done["attempt"] == 1
    assert resumed_from(service, done) == [paused["progress"]["step"]]
    assert_same(service, done, undisturbed)


def test_a_job_whose_trainer_is_killed_goes_on_from_its_checkpoint(
    service: Service, spec: dict, undisturbed: dict
):
    job = submit(service, spec, **LONG)
    service.checkpointed(job)
    service.holder(job).kill()
    done = service.finished(job)
    assert done["attempt"] == 2
    (step,) = resumed_from(service, done)
    assert 0 < step < done["progress"]["steps"]
    assert_same(service, done, undisturbed)


def test_a_job_that_kills_its_trainers_is_poisoned_and_harms_no_other(service: Service, spec: dict):
    deadly = submit(service, spec, **ENDLESS)
    healthy = [submit(service, spec, epochs=50) for _ in range(5)]
    for attempt in (1, 2, 3):
        wait_until(
            lambda attempt=attempt: service.get(f"/v1/jobs/{deadly['id']}")["attempt"] == attempt,
            30,
            f"attempt {attempt} has begun",
        )
        service.holder(deadly).kill()
    done = service.finished(deadly)
    assert (done["status"], done["error"]["type"]) == ("failed", "poisoned")
    for each in healthy:
        job = service.finished(each)
        assert (job["status"], job["attempt"]) == ("succeeded", 1)


def test_a_final_job_is_trained_anew_to_the_same_bytes(service: Service, spec: dict):
    done = service.finished(submit(service, spec, **SHORT))
    again = service.post(f"/v1/jobs/{done['id']}/retry", 202)
    assert again["id"] != done["id"]
    assert_same(service, service.finished(again), done)


@pytest.mark.parametrize("stack", ["embedded", "postgresql"])
def test_without_a_broker_jobs_are_accepted_and_run(
    stack: str, tmp_path: Path, postgres_cluster: PostgresCluster
):
    redis = start_redis()
    running = (
        embedded(tmp_path, GRADSERVE_BROKER_URL=redis.url)
        if stack == "embedded"
        else distributed(tmp_path, postgres_cluster, redis)
    )
    try:
        with running as service:
            spec = spec_on(service)
            service.finished(submit(service, spec, **SHORT))
            redis.process.stop()
            jobs = [submit(service, spec, **SHORT) for _ in range(4)]
            for each in jobs:
                done = service.finished(each)
                assert (done["status"], done["attempt"]) == ("succeeded", 1)
            endless = submit(service, spec, **ENDLESS)
            step = goes_on(service, endless)
            kill_every_trainer(service, endless)
            goes_on(service, endless, behind=step)
    finally:
        redis.process.stop()


def kill_every_trainer(service: Service, job: dict[str, Any]) -> None:
    """The one that trains the job, and those beside it."""
    worker = service.holder(job).parent()
    assert worker is not None
    for trainer in worker.children():
        trainer.kill()
