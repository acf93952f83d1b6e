"""A model says what it was made from, and training it again gives the same weights."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.settings import Settings
from tests.acceptance.conftest import embedded
from tests.acceptance.service import Service
from tests.service.cli.conftest import Finished, command, run
from tests.waiting import wait_until

NETWORK = {
    "layers": [{"type": "dense", "units": 64, "activation": "tanh"}, {"type": "dense", "units": 1}]
}
SPEC = {"target": "y", "network": NETWORK, "epochs": 5, "seed": 11}
WORKERS = Settings.model_fields["workers"].default
# Kernels that run on every machine of a kind and add in another order than its best ones.
PLAIN_KERNELS = {"x86_64": "PRESCOTT", "AMD64": "PRESCOTT", "aarch64": "ARMV8", "arm64": "ARMV8"}


def upload(service: Service) -> dict[str, Any]:
    x = np.random.default_rng(5).normal(size=(128, 32))
    rows = "\n".join(",".join(f"{value:.6f}" for value in [*row, row.sum()]) for row in x)
    header = ",".join([*(f"x{number}" for number in range(32)), "y"])
    return service.upload("numbers.csv", f"{header}\n{rows}\n")


def train(service: Service, dataset: dict[str, Any], **fields: object) -> dict[str, Any]:
    """The receipt of a model of this dataset."""
    job = service.post("/v1/jobs", 202, json={"dataset_id": dataset["id"], **SPEC, **fields})
    done = service.finished(job)
    assert done["status"] == "succeeded", done["error"]
    return service.get(f"/v1/models/{done['model_id']}/receipt")


def verify(service: Service, model: str, *flags: str) -> Finished:
    return run("verify", model, *flags, GRADSERVE_URL=str(service.client.base_url))


def ids(service: Service, kind: str) -> list[str]:
    return [item["id"] for item in service.get(f"/v1/{kind}?limit=100")["items"]]


@pytest.fixture(scope="module")
def receipt(service: Service) -> dict[str, Any]:
    return train(service, upload(service), tags={"team": "a"})


def test_a_receipt_names_everything_that_the_weights_come_from(
    service: Service, receipt: dict[str, Any]
) -> None:
    job = service.get(f"/v1/jobs/{receipt['job_id']}")
    model = service.get(f"/v1/models/{receipt['model_id']}")
    dataset = service.get(f"/v1/datasets/{receipt['dataset_id']}")
    weights = service.client.get(model["links"]["weights"]).content
    assert model["links"]["receipt"] == f"/v1/models/{model['id']}/receipt"
    assert receipt["weights_sha256"] == sha256(weights).hexdigest()
    assert receipt["dataset_sha256"] == dataset["sha256"]
    assert (receipt["spec"], receipt["seed"]) == (job["spec"], 11)
    assert (receipt["attempt"], receipt["notes"]) == (1, [])
    assert receipt["created_at"] == model["created_at"]
    assert receipt["fingerprint"]["blas_threads"] == receipt["fingerprint"]["shards"] == 1


def test_a_receipt_outlives_its_job_and_verifies_without_it(service: Service) -> None:
    receipt = train(service, upload(service))
    assert service.client.delete(f"/v1/jobs/{receipt['job_id']}").status_code == 204
    assert service.get(f"/v1/models/{receipt['model_id']}/receipt") == receipt
    assert verify(service, receipt["model_id"]).returncode == 0


def test_training_again_gives_the_same_weights_and_leaves_both_models(
    service: Service, receipt: dict[str, Any]
) -> None:
    before = ids(service, "models")
    finished = verify(service, receipt["model_id"])
    assert (finished.returncode, finished.stderr) == (0, "")
    start, verdict, weights = finished.stdout.splitlines()
    assert verdict == f"same: {receipt['model_id']}, trained again, has the same weights"
    assert weights == f"  SHA-256 {receipt['weights_sha256']}"
    second = service.get(f"/v1/jobs/{re.findall('job_[0-9a-z]+', start)[0]}")
    assert second["spec"]["tags"] == {"team": "a", "verifies": receipt["model_id"]}
    assert ids(service, "models") == [second["model_id"], *before]


def test_clean_leaves_everything_as_it_was(service: Service, receipt: dict[str, Any]) -> None:
    before = ids(service, "models"), ids(service, "jobs")
    assert verify(service, receipt["model_id"], "--clean").returncode == 0
    assert (ids(service, "models"), ids(service, "jobs")) == before


def test_a_model_whose_dataset_is_gone_cannot_be_verified(service: Service) -> None:
    dataset = upload(service)
    receipt = train(service, dataset)
    assert service.client.delete(f"/v1/datasets/{dataset['id']}").status_code == 204
    before = ids(service, "jobs")
    finished = verify(service, receipt["model_id"])
    assert (finished.returncode, finished.stdout) == (2, "")
    start = f"gradserve: {receipt['model_id']} cannot be verified: There is no dataset "
    assert finished.stderr.startswith(start + repr(dataset["id"]))
    assert ids(service, "jobs") == before


def test_a_second_run_that_is_cancelled_verifies_nothing(
    service: Service, receipt: dict[str, Any]
) -> None:
    endless = {"dataset_id": receipt["dataset_id"], **SPEC, "epochs": 1_000_000, "batch_size": 1}
    in_the_way = [service.post("/v1/jobs", 202, json=endless) for _ in range(WORKERS)]
    for job in in_the_way:
        service.becomes(job, "running")
    before = ids(service, "jobs")
    asked = subprocess.Popen(
        command("verify", receipt["model_id"], "--clean"),
        env=os.environ | {"GRADSERVE_URL": str(service.client.base_url)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: ids(service, "jobs") != before, 30, "the second job is submitted")
    second = ids(service, "jobs")[0]
    service.post(f"/v1/jobs/{second}/cancel", 202)
    _, said = asked.communicate(timeout=60)
    for job in in_the_way:
        service.post(f"/v1/jobs/{job['id']}/cancel", 202)
    assert asked.returncode == 2
    assert f"cannot be verified: the second job {second} is cancelled: " in said
    assert ids(service, "jobs") == before


def test_an_unknown_model_cannot_be_verified(service: Service) -> None:
    finished = verify(service, "nope")
    assert finished.returncode == 2
    assert "cannot be verified: There is no model 'nope'" in finished.stderr


def test_a_service_that_does_not_answer_verifies_nothing() -> None:
    finished = run("verify", "model_1", "--url", "http://127.0.0.1:9")
    assert finished.returncode == 2
    assert "no answer from http://127.0.0.1:9" in finished.stderr


def test_other_kernels_give_other_weights_and_the_verdict_names_them(tmp_path: Path) -> None:
    with embedded(tmp_path) as service:
        first = train(service, upload(service))
    kernel = PLAIN_KERNELS[platform.machine()]
    with embedded(tmp_path, OPENBLAS_CORETYPE=kernel) as service:
        finished = verify(service, first["model_id"], "--clean")
        again = train(service, {"id": first["dataset_id"]})
        left = ids(service, "models")
    assert finished.returncode == 1, finished.stdout
    _, verdict, weights, *explained = finished.stdout.splitlines()
    assert verdict == f"differs: {first['model_id']}, trained again, has other weights"
    assert weights == f"  SHA-256 {first['weights_sha256']}, then {again['weights_sha256']}"
    kernels = [each["fingerprint"]["blas_kernel"] for each in (first, again)]
    assert explained == [f"  the BLAS kernels: {kernels[0]}, then {kernels[1]}"]
    assert left == [again["model_id"], first["model_id"]]
