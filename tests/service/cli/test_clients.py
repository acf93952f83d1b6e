"""The client commands against a running stack: from a file to predictions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.service.cli.conftest import Finished, Up, run
from tests.waiting import wait_until

XOR = "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n"
NETWORK = {
    "layers": [{"type": "dense", "units": 3, "activation": "tanh"}, {"type": "dense", "units": 1}]
}


@pytest.fixture
def client(stack: Up) -> Callable[..., Finished]:
    """Run a client command against a running stack."""

    def ask(*arguments: object) -> Finished:
        return run(*arguments, GRADSERVE_URL=stack.url)

    return ask


def write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


def test_a_file_becomes_a_model_that_answers(
    client: Callable[..., Finished], tmp_path: Path
) -> None:
    def said(*arguments: object) -> str:
        finished = client(*arguments)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.strip()

    data = tmp_path / "xor.csv"
    data.write_text(XOR)
    dataset = said("datasets", "upload", data, "--name", "exclusive or")
    assert json.loads(said("datasets", "show", dataset))["name"] == "exclusive or"
    assert dataset in said("datasets", "list")

    job = {"dataset_id": dataset, "target": "y", "task": "regression", "network": NETWORK}
    submitted = said("jobs", "submit", write(tmp_path / "job.json", {**job, "epochs": 2}))
    lines = said("jobs", "watch", submitted).splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("epoch")] == [
        ["epoch", "1"],
        ["epoch", "2"],
    ]
    label, model = lines[-1].split()
    assert label == "model"
    assert json.loads(said("jobs", "show", submitted))["model_id"] == model
    assert submitted in said("jobs", "list", "--status", "succeeded")

    assert model in said("models", "list")
    assert json.loads(said("models", "show", model))["id"] == model
    instances = write(tmp_path / "instances.json", [{"a": 0, "b": 1}])
    (prediction,) = json.loads(said("models", "predict", model, instances))["predictions"]
    assert isinstance(prediction["value"], float)

    said("datasets", "delete", dataset)
    assert dataset not in said("datasets", "list")


def test_a_refused_job_shows_where_it_is_wrong(
    client: Callable[..., Finished], tmp_path: Path
) -> None:
    data = tmp_path / "xor.csv"
    data.write_text(XOR)
    dataset = client("datasets", "upload", data).stdout.strip()
    network = {"layers": [{"type": "dens", "units": 1}]}
    job = {"dataset_id": dataset, "target": "y", "network": network}
    finished = client("jobs", "submit", write(tmp_path / "job.json", job))
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert "\n  /network/layers/0/type: " in finished.stderr


def test_watching_a_job_that_is_cancelled_ends_with_its_status(
    client: Callable[..., Finished], tmp_path: Path
) -> None:
    data = tmp_path / "xor.csv"
    data.write_text(XOR)
    dataset = client("datasets", "upload", data).stdout.strip()
    long = {"dataset_id": dataset, "target": "y", "network": NETWORK, "epochs": 1_000_000}
    job = client("jobs", "submit", write(tmp_path / "job.json", long)).stdout.strip()
    assert client("jobs", "cancel", job).returncode == 0
    finished = client("jobs", "watch", job)
    assert finished.returncode == 1
    assert finished.stderr == "gradserve: the job is cancelled\n"


def test_a_job_is_paused_resumed_and_trained_anew(
    client: Callable[..., Finished], tmp_path: Path
) -> None:
    def said(*arguments: object) -> str:
        finished = client("jobs", *arguments)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout.strip()

    def status(job: str) -> str:
        return str(json.loads(said("show", job))["status"])

    data = tmp_path / "xor.csv"
    data.write_text(XOR)
    dataset = client("datasets", "upload", data).stdout.strip()
    long = {"dataset_id": dataset, "target": "y", "network": NETWORK, "epochs": 1_000_000}
    job = said("submit", write(tmp_path / "job.json", long))
    assert said("pause", job) in ("running", "paused")
    wait_until(lambda: status(job) == "paused", 30, "the job is paused")
    early = client("jobs", "retry", job)
    assert early.returncode == 1
    assert "only a final job is trained anew" in early.stderr

    assert said("resume", job) == "queued"
    wait_until(lambda: status(job) == "running", 30, "the job goes on")
    said("cancel", job)
    wait_until(lambda: status(job) == "cancelled", 30, "the job is cancelled")
    for verb in ("pause", "resume"):
        late = client("jobs", verb, job)
        assert late.returncode == 1
        assert "is cancelled and stays so" in late.stderr

    again = said("retry", job)
    assert again != job
    assert json.loads(said("show", again))["spec"] == json.loads(said("show", job))["spec"]
    said("cancel", again)


def test_a_missing_id_is_named(client: Callable[..., Finished]) -> None:
    for command in (["jobs", "watch"], ["models", "show"], ["datasets", "delete"]):
        finished = client(*command, "nothing")
        assert finished.returncode == 1
        assert "nothing" in finished.stderr
