"""Stopping in the middle of things."""

import signal
import threading
from pathlib import Path

from tests.acceptance.conftest import embedded
from tests.acceptance.service import Service
from tests.waiting import wait_until

JOB = {
    "target": "y",
    "network": {"layers": [{"type": "dense", "units": 1}]},
    "epochs": 1_000_000,
    "batch_size": 1,
}


def endless(service: Service) -> dict:
    rows = [{"x": 0, "y": 0.5}, {"x": 1, "y": 1.5}]
    dataset = service.post("/v1/datasets", 201, json={"rows": rows})
    job = service.post("/v1/jobs", 202, json=JOB | {"dataset_id": dataset["id"]})
    service.becomes(job, "running")
    return job


def test_a_watched_stream_ends_with_the_service_and_the_job_goes_on_later(tmp_path: Path):
    with embedded(tmp_path) as service:
        job = endless(service)
        events = []
        watcher = threading.Thread(target=lambda: events.extend(service.watch(job)))
        watcher.start()
        wait_until(
            lambda: any(event.kind == "epoch" for event in events), 30, "the job is in its course"
        )
        progress = service.get(f"/v1/jobs/{job['id']}")["progress"]
        service.processes[0].send_signal(signal.SIGTERM)
        watcher.join(timeout=30)
        assert not watcher.is_alive()
        assert events[0].data == {"status": "queued"}
        assert service.processes[0].wait(timeout=30) == 0
    with embedded(tmp_path) as service:
        service.becomes(job, "running")
        # The orderly stop gave the job back, so this is still its first attempt.
        now = service.get(f"/v1/jobs/{job['id']}")
        assert now["attempt"] == 1
        assert now["progress"]["step"] >= progress["step"] > 0
        service.post(f"/v1/jobs/{job['id']}/cancel", 202)
        wait_until(
            lambda: service.get(f"/v1/jobs/{job['id']}")["status"] == "cancelled",
            30,
            "the job is cancelled",
        )
