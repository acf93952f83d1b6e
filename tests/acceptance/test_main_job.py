"""Data and a network go in, a worker trains, predictions come back: on both stacks."""

import csv
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import load

from nncore import Network
from service.demo import jobs
from tests.acceptance.service import Service
from tests.waiting import wait_until

XOR_NETWORK = {
    "layers": [
        {"type": "dense", "units": 3, "activation": "tanh"},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ]
}
OUTPUT = {"type": "dense", "units": 1}
# About a minute of steps: long enough to be caught in the middle, cancelled or killed.
ENDLESS = {"epochs": 1_000_000, "batch_size": 1}


@pytest.fixture(scope="module")
def digits(service: Service) -> dict:
    return service.upload("digits.csv", jobs.DIGITS.read_bytes())


@pytest.fixture(scope="module")
def xor(service: Service) -> dict:
    return service.post("/v1/datasets", 201, json={"name": "xor", "rows": jobs.XOR_ROWS})


def xor_job(dataset: dict, **fields: object) -> dict:
    return {"dataset_id": dataset["id"], "target": "xor", "network": XOR_NETWORK, **fields}


def test_digits_train_to_their_accuracy_and_answer_over_http(service: Service, digits: dict):
    job = service.post("/v1/jobs", 202, json=jobs.digits(digits["id"]))
    assert job["status"] == "queued"
    done = service.finished(job)
    assert done["status"] == "succeeded", done["error"]
    assert done["metrics"]["test_accuracy"] >= 0.94
    assert done["progress"]["fraction"] == 1.0

    history = service.get(f"/v1/jobs/{job['id']}/history")["items"]
    assert [item["epoch"] for item in history] == list(range(1, 21))
    assert history[-1]["loss"] < history[0]["loss"]

    with Path(jobs.DIGITS).open() as file:
        rows = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(file)]
    labels = [row.pop("label") for row in rows]
    answer = service.post(
        f"/v1/models/{done['model_id']}/predict", 200, json={"instances": rows[:200]}
    )
    given = [each["label"] for each in answer["predictions"]]
    assert np.mean(np.equal(given, labels[:200])) >= 0.94
    first = answer["predictions"][0]
    assert set(first["probabilities"]) == {str(digit) for digit in range(10)}
    assert sum(first["probabilities"].values()) == pytest.approx(1.0)
    assert first["score"] == max(first["probabilities"].values())


def test_the_model_gives_its_weights_as_safetensors(service: Service, xor: dict):
    done = service.finished(service.post("/v1/jobs", 202, json=xor_job(xor, epochs=0)))
    model = service.get(f"/v1/models/{done['model_id']}")
    content = service.client.get(f"/v1/models/{done['model_id']}/weights").content
    weights = load(content)
    initial = Network.from_spec(model["network"]).init(seed=0)
    assert {name: value.tobytes() for name, value in weights.items()} == {
        name: value.tobytes() for name, value in initial.items()
    }
    assert model["lineage"]["dataset_sha256"] == xor["sha256"]


def test_xor_is_learned_at_once(service: Service, xor: dict):
    done = service.finished(service.post("/v1/jobs", 202, json=jobs.xor(xor["id"])))
    assert done["metrics"]["accuracy"] == 1.0
    rows = [{"a": row["a"], "b": row["b"]} for row in jobs.XOR_ROWS]
    answer = service.post(f"/v1/models/{done['model_id']}/predict", 200, json={"instances": rows})
    assert [each["label"] for each in answer["predictions"]] == [0, 1, 1, 0]


def test_the_same_spec_gives_the_same_bytes(service: Service, xor: dict):
    spec = xor_job(xor, epochs=20, seed=7)
    models = []
    for _ in range(2):
        done = service.finished(service.post("/v1/jobs", 202, json=spec))
        models.append(service.get(f"/v1/models/{done['model_id']}"))
    first, second = (model["lineage"]["weights_sha256"] for model in models)
    assert first == second


def test_arrays_from_npz_train_a_regression_in_its_own_unit(service: Service):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = 1000 + 50 * x @ [1.0, -2.0, 0.5]
    buffer = BytesIO()
    np.savez(buffer, x=x, price=y)
    dataset = service.upload("prices.npz", buffer.getvalue())
    network = {"layers": [{"type": "dense", "units": 1}]}
    spec = {
        "dataset_id": dataset["id"],
        "target": "price",
        "network": network,
        "epochs": 60,
        "optimizer": {"type": "adam", "learning_rate": 0.05},
    }
    done = service.finished(service.post("/v1/jobs", 202, json=spec))
    assert done["spec"]["task"] == "regression"
    assert done["metrics"]["val_r2"] > 0.99
    answer = service.post(
        f"/v1/models/{done['model_id']}/predict", 200, json={"instances": x[:3].tolist()}
    )
    assert [each["value"] for each in answer["predictions"]] == pytest.approx(y[:3], abs=5)


def test_the_event_stream_tells_the_whole_run_and_resumes(service: Service, xor: dict):
    job = service.post("/v1/jobs", 202, json=xor_job(xor, epochs=3))
    events = service.events(job)
    kinds = [event.kind for event in events if event.kind != "progress"]
    assert kinds == ["status", "status", "epoch", "epoch", "epoch", "status"]
    statuses = [event.data["status"] for event in events if event.kind == "status"]
    assert statuses == ["queued", "running", "succeeded"]
    again = service.events(job, last=events[2].id)
    assert [event.id for event in again] == [event.id for event in events[3:]]


def test_a_running_job_is_cancelled_and_leaves_no_model(service: Service, xor: dict):
    job = service.post("/v1/jobs", 202, json=xor_job(xor, **ENDLESS))
    service.becomes(job, "running")
    service.post(f"/v1/jobs/{job['id']}/cancel", 202)
    done = service.finished(job)
    assert done["status"] == "cancelled"
    assert done["model_id"] is None
    assert service.post(f"/v1/jobs/{job['id']}/cancel", 202)["status"] == "cancelled"


def test_a_dataset_stays_while_a_job_needs_it(service: Service):
    dataset = service.upload("xor.csv", "a,b,xor\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    job = service.post("/v1/jobs", 202, json=xor_job(dataset, **ENDLESS))
    path = f"/v1/datasets/{dataset['id']}"
    refused = service.client.delete(path)
    assert refused.status_code == 409
    assert job["id"] in refused.json()["detail"]
    service.post(f"/v1/jobs/{job['id']}/cancel", 202)
    service.finished(job)
    assert service.client.delete(path).status_code == 204
    assert service.client.get(path).status_code == 404


def test_a_repeated_submission_with_a_key_is_one_job(service: Service, xor: dict):
    headers = {"Idempotency-Key": "acceptance-once"}
    spec = xor_job(xor, epochs=1)
    first = service.post("/v1/jobs", 202, json=spec, headers=headers)
    second = service.post("/v1/jobs", 202, json=spec, headers=headers)
    assert second == first
    other = service.client.post("/v1/jobs", json=spec | {"epochs": 2}, headers=headers)
    assert other.status_code == 422
    assert other.json()["type"] == "urn:gradserve:problem:idempotency-key-reused"


def test_a_job_whose_trainer_is_killed_is_taken_over_and_ends_the_same(service: Service, xor: dict):
    spec = xor_job(xor, epochs=8000, batch_size=1, seed=3)
    undisturbed = service.finished(service.post("/v1/jobs", 202, json=spec))
    job = service.post("/v1/jobs", 202, json=spec)
    service.becomes(job, "running")
    for process in service.family():
        if _trains(process, service):
            process.kill()
    done = service.finished(job)
    assert done["status"] == "succeeded"
    assert done["attempt"] == 2
    items = service.get(f"/v1/jobs/{job['id']}/history")["items"]
    assert [item["epoch"] for item in items] == list(range(1, 8001))
    models = [service.get(f"/v1/models/{each['model_id']}") for each in (undisturbed, done)]
    first, second = (model["lineage"]["weights_sha256"] for model in models)
    assert first == second


def _trains(process, service: Service) -> bool:
    """Whether this is a pool child of a worker."""
    parent = process.parent()
    return (
        parent is not None
        and any("worker" in part for part in parent.cmdline())
        and process.cmdline() == parent.cmdline()
    )


def test_unknown_things_are_404_problems(service: Service):
    for path in ("/v1/jobs/nope", "/v1/models/nope", "/v1/datasets/nope", "/nope"):
        response = service.client.get(path)
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["instance"] == f"urn:uuid:{response.headers['x-request-id']}"


def test_health_and_documentation_answer(service: Service):
    assert service.get("/healthz") == {"status": "alive"}
    wait_until(lambda: service.get("/readyz")["status"] == "ready", 30, "the service is ready")
    assert "/v1/jobs" in service.get("/openapi.json")["paths"]
    assert isinstance(service.client.get("/docs"), httpx.Response)


def test_early_stopping_reports_the_epoch_whose_weights_it_keeps(service: Service):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120, 4))
    y = x @ [1.0, -2.0, 0.5, 3.0] + rng.normal(size=120)
    arrays = {"x": x.tolist(), "y": y.tolist()}
    dataset = service.post("/v1/datasets", 201, json={"arrays": arrays})
    spec = {
        "dataset_id": dataset["id"],
        "target": "y",
        "network": {"layers": [{"type": "dense", "units": 32, "activation": "relu"}, OUTPUT]},
        "optimizer": {"type": "adam", "learning_rate": 0.1},
        "epochs": 200,
        "early_stopping": {"metric": "val_loss", "patience": 3},
    }
    done = service.finished(service.post("/v1/jobs", 202, json=spec))
    history = service.get(f"/v1/jobs/{done['id']}/history")["items"]
    best = min(history, key=lambda item: item["val_loss"])
    assert best["epoch"] < history[-1]["epoch"]
    assert done["metrics"] == {name: best[name] for name in done["metrics"]}


def test_targets_written_as_columns_of_one_are_classes_too(service: Service):
    arrays = {"x": [[0, 0], [0, 1], [1, 0], [1, 1]], "y": [[0], [1], [1], [0]]}
    dataset = service.post("/v1/datasets", 201, json={"arrays": arrays})
    spec = {
        "dataset_id": dataset["id"],
        "target": "y",
        "network": XOR_NETWORK,
        "optimizer": {"type": "sgd", "learning_rate": 1.0},
        "epochs": 500,
    }
    done = service.finished(service.post("/v1/jobs", 202, json=spec))
    assert done["spec"]["task"] == "classification"
    assert done["metrics"]["accuracy"] == 1.0
    answer = service.post(
        f"/v1/models/{done['model_id']}/predict", 200, json={"instances": arrays["x"]}
    )
    assert [each["label"] for each in answer["predictions"]] == [0, 1, 1, 0]


def test_a_nonsense_cursor_is_refused(service: Service):
    for cursor in ("zzz", "", "%ff"):
        response = service.client.get(f"/v1/jobs?cursor={cursor}")
        assert response.status_code == 422
        assert "cursor" in response.json()["detail"]


def test_token_ids_reach_an_embedding_as_they_are(service: Service):
    rng = np.random.default_rng(0)
    tokens = rng.integers(1, 20, size=(200, 6))
    labels = (tokens == 7).any(axis=1).astype(int)
    arrays = {"tokens": tokens.tolist(), "found": labels.tolist()}
    dataset = service.post("/v1/datasets", 201, json={"arrays": arrays})
    layers = [
        {"type": "embedding", "input_dim": 20, "output_dim": 8},
        {"type": "global_max_pool1d"},
        {"type": "dense", "units": 2},
    ]
    spec = {
        "dataset_id": dataset["id"],
        "target": "found",
        "network": {"layers": layers},
        "optimizer": {"type": "adam", "learning_rate": 0.05},
        "epochs": 15,
    }
    done = service.finished(service.post("/v1/jobs", 202, json=spec))
    assert done["spec"]["features"]["scale"] == "none"
    assert done["metrics"]["val_accuracy"] >= 0.95, done


def test_the_model_gives_its_network_as_onnx(service: Service, xor: dict):
    done = service.finished(service.post("/v1/jobs", 202, json=xor_job(xor, epochs=5)))
    content = service.client.get(f"/v1/models/{done['model_id']}/onnx").content
    session = onnxruntime.InferenceSession(content)
    weights = load(service.client.get(f"/v1/models/{done['model_id']}/weights").content)
    network = Network.from_spec(service.get(f"/v1/models/{done['model_id']}")["network"])
    x = np.array([[0, 1], [1, 1]], np.float32)
    (given,) = session.run(None, {session.get_inputs()[0].name: x})
    np.testing.assert_allclose(given, network.predict(weights, x), rtol=1e-5)
