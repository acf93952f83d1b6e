"""A worker whose trainers are replaced after every job, as a user sees it: not at all."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

from service.store.database import Database
from service.store.jobs import JobRow
from tests.acceptance.conftest import embedded
from tests.waiting import wait_until

JOBS = 8
POLL_SECONDS = 60  # nobody waits for it: a trainer looks when it starts


def test_trainers_that_are_replaced_after_every_job_delay_none(tmp_path: Path):
    with embedded(
        tmp_path,
        GRADSERVE_RECYCLE_JOBS="1",
        GRADSERVE_WORKERS="1",
        GRADSERVE_POLL_SECONDS=str(POLL_SECONDS),
        GRADSERVE_SWEEP_SECONDS=str(POLL_SECONDS),
    ) as service:
        rows = [{"x": n, "y": n % 2} for n in range(60)]
        spec = {
            "dataset_id": service.post("/v1/datasets", 201, json={"rows": rows})["id"],
            "target": "y",
            "network": {"layers": [{"type": "dense", "units": 2}]},
            "loss": "cross_entropy",
            "epochs": 2,
        }
        submitted = [service.post("/v1/jobs", 202, json=spec) for _ in range(JOBS)]
        done = [service.finished(job) for job in submitted]
        assert {(job["status"], job["attempt"]) for job in done} == {("succeeded", 1)}
        database = Database(service.database_url)
        with database.reading() as session:
            trainers = [session.get_one(JobRow, job["id"]).worker for job in done]
            ended = sorted(session.get_one(JobRow, job["id"]).finished_at or 0 for job in done)
        database.dispose()
        assert len(set(trainers)) == JOBS
        gaps = [later - earlier for earlier, later in pairwise(ended)]
        assert max(gaps) < POLL_SECONDS * 1000 / 2, f"a job has waited for a poll: {gaps} ms"


def test_a_trainer_that_is_killed_is_replaced_at_once(tmp_path: Path):
    with embedded(tmp_path, GRADSERVE_WORKERS="1") as service:
        (worker,) = (
            each
            for each in service.family()
            if each.is_running()
            and each.cmdline()[-1] == "worker"
            and each.parent().pid == service.processes[0].pid
        )
        took = []
        for _ in range(3):
            (trainer,) = worker.children()
            trainer.kill()
            began = time.monotonic()
            others = wait_until(
                lambda gone=trainer: [each for each in worker.children() if each != gone],
                30,
                "another trainer is there",
            )
            took.append(time.monotonic() - began)
            assert len(others) == 1
        assert min(took) < 4, "Celery by itself looks every five seconds"
