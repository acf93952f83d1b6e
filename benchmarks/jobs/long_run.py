"""One job with a network of 10 MB, run for some seconds; prints what its checkpoints cost.

`python -m benchmarks.jobs.long_run SECONDS`. The run is the worker's own, with its heartbeats and a
SQLite database; only its steps are timed from outside.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from service.datasets import operations as dataset_verbs
from service.datasets.schemas import DatasetCreate
from service.datasets.uploads import Upload
from service.dependencies import Caller
from service.jobs import operations as job_verbs
from service.jobs.schemas import JobCreate
from service.settings import Settings
from service.store import leases
from service.store.database import Database
from service.store.migrate import upgrade
from service.store.tenants import DEFAULT_TENANT
from worker import checkpoint, training
from worker.heartbeat import RestRequested
from worker.run import run

ROWS, FEATURES, CLASSES = 2000, 784, 10
NETWORK = {
    "layers": [
        {"type": "dense", "units": 1600, "activation": "relu"},
        {"type": "dense", "units": 800, "activation": "relu"},
        {"type": "dense", "units": CLASSES},
    ]
}
_Clock = checkpoint.Clock
AROUND = 10  # steps before a checkpoint, and after it, that it may slow down


class Timed:
    """Stands in for the worker's look between steps: notes when, and what checkpoints took."""

    def __init__(self, seconds: float) -> None:
        self.ends: list[float] = []
        self.kept: list[tuple[int, float]] = []  # the step, and the seconds
        self.state_bytes = 0
        self._look, self._encode = training._on_step, checkpoint.encode
        self._stop_at = time.monotonic() + seconds
        training._on_step = self._on_step  # type: ignore[assignment]  # from outside, on purpose
        checkpoint.encode = self._encoded  # type: ignore[assignment]  # as above
        checkpoint.Clock = self._clock  # type: ignore[misc, assignment]  # as above

    def rests(self) -> bool:
        """Whether the run has lasted long enough."""
        return time.monotonic() > self._stop_at

    def _on_step(self, at: Any, step: Any) -> None:
        if self.rests():
            raise RestRequested
        self._look(at, step)
        self.ends.append(time.monotonic())

    def _encoded(self, *given: Any) -> bytes:
        state = self._encode(*given)
        self.state_bytes = len(state)
        return state

    def _clock(self, every_seconds: float) -> checkpoint.Clock:
        noted = self

        class Noting(_Clock):
            def taken(self, seconds: float) -> None:
                noted.kept.append((len(noted.ends), seconds))
                super().taken(seconds)

        return Noting(every_seconds)


def main() -> None:
    """Run and print."""
    seconds = float(sys.argv[1])
    settings = Settings()
    with tempfile.TemporaryDirectory(prefix="gradserve-bench-") as folder:
        url = f"sqlite+pysqlite:///{Path(folder) / 'gradserve.db'}"
        upgrade(url)
        database = Database(url)
        claim = _claim(database, settings)
        timed = Timed(seconds)
        run(database, claim, settings, lambda: False)
        database.dispose()
    print(json.dumps(_found(timed, settings)))


def _claim(database: Database, settings: Settings) -> leases.Claim:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, FEATURES)).round(3)
    arrays = {"x": x.tolist(), "y": rng.integers(0, CLASSES, ROWS).tolist()}
    document = DatasetCreate.model_validate({"name": "digits", "arrays": arrays})
    upload = Upload("digits", 1, "0" * 64, document=document)
    who = Caller(DEFAULT_TENANT)
    with database.writing() as session:
        dataset = dataset_verbs.add(session, who, dataset_verbs.ready(upload, settings))
        job = {
            "dataset_id": dataset.id,
            "target": "y",
            "task": "classification",
            "loss": "cross_entropy",
            "network": NETWORK,
            "epochs": 1_000_000,
            "batch_size": 128,
        }
        job_verbs.submit(session, who, settings, JobCreate.model_validate(job))
    with database.writing() as session:
        claim = leases.claim_next(session, "bench:0", settings.lease_seconds, 3)
    assert claim is not None
    return claim


def _found(timed: Timed, settings: Settings) -> dict[str, Any]:
    lengths = np.diff(timed.ends)
    usual = median(lengths)
    excess = 0.0
    for step, _ in timed.kept:
        around = lengths[max(step - 1 - AROUND, 0) : step + AROUND]
        excess += float(around.sum() - usual * len(around))
    weights = FEATURES * 1600 + 1600 + 1600 * 800 + 800 + 800 * CLASSES + CLASSES
    return {
        "every_seconds": settings.checkpoint_seconds,
        "network_mb": round(weights * 4 / 1e6, 1),
        "state_mb": round(timed.state_bytes / 1e6, 1),
        "seconds": round(timed.ends[-1] - timed.ends[0], 2),
        "steps": len(timed.ends),
        "step_ms": round(usual * 1000, 2),
        "checkpoints": len(timed.kept),
        "checkpoint_seconds": round(sum(took for _, took in timed.kept), 3),
        "disturbed_seconds": round(excess, 3),
    }


if __name__ == "__main__":
    main()
