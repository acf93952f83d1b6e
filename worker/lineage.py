"""Where a model comes from: what its receipt is made of."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from service.store.datasets import DatasetRow
from service.store.leases import Claim
from worker import fingerprint


def lineage(claim: Claim, dataset: DatasetRow, notes: Sequence[str] = ()) -> dict[str, Any]:
    """All that it takes to train the model again, and to explain it when that differs.

    The spec is kept here since the job may be deleted. `notes` tell in sentences what about the
    run a repetition cannot reproduce, such as that it was continued on another machine.
    """
    return {
        "job_id": claim.job_id,
        "dataset_id": dataset.id,
        "dataset_sha256": dataset.sha256,
        "seed": claim.spec["seed"],
        "spec": claim.spec,
        "attempt": claim.attempt,
        "notes": list(notes),
        "fingerprint": fingerprint.take(claim.spec["shards"]),
        "versions": {
            "gradserve": version("gradserve"),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
