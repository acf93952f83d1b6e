"""Models over HTTP."""

from __future__ import annotations

import io
from hashlib import sha256

import numpy as np
import pytest
from safetensors.numpy import load, save
from sqlalchemy import text

from nncore.preprocessing import InputEncoder, InputOptions, TargetEncoder
from service.models.schemas import MAX_INSTANCES
from service.store import models
from service.store.tenants import DEFAULT_TENANT
from tests.service.problem import mistakes_of, problem_of
from tests.service.rows import add_model, count, write

NETWORK = {
    "input": {"shape": [3]},
    "layers": [{"type": "dense", "name": "out", "units": 2, "use_bias": False}],
}
WEIGHTS = {"out.kernel": np.array([[1, 0], [0, 0], [0, 2]], np.float32)}


def preprocessing():
    kinds = np.array(["elm", "oak"], object)
    inputs = InputEncoder.fit(
        {"length": np.array([1.0, 3.0]), "kind": kinds},
        {"length": "number", "kind": "category"},
        InputOptions.parse({"scale": "none"}),
    )
    target = TargetEncoder.fit("classes", np.array(["no", "yes"], object), "category")
    return {
        "inputs": inputs.to_document(),
        "target": target.to_document(),
        "link": "softmax",
    }


@pytest.fixture
def model_id(stored):
    """A classifier of leaves that the application stores."""
    row = write(
        stored,
        add_model,
        name="leaves",
        task="classification",
        network=NETWORK,
        preprocessing=preprocessing(),
        metrics={"accuracy": 1.0},
        lineage={"seed": 7, "dataset_sha256": "0" * 64},
        weights=save(WEIGHTS),
        job_id="job_1",
    )
    return row.id


def predict(client, model_id, instances):
    return client.post(f"/v1/models/{model_id}/predict", json={"instances": instances})


def test_a_model_says_what_it_takes_answers_and_comes_from(client, model_id):
    body = client.get(f"/v1/models/{model_id}").json()
    assert (body["id"], body["name"], body["task"]) == (model_id, "leaves", "classification")
    assert body["network"] == NETWORK
    assert body["input_schema"] == {
        "type": "table",
        "columns": [
            {"name": "length", "type": "number"},
            {"name": "kind", "type": "category", "categories": ["elm", "oak"]},
        ],
    }
    assert body["output_schema"] == {"type": "label", "labels": ["no", "yes"]}
    assert body["metrics"] == {"accuracy": 1.0}
    assert (body["lineage"]["seed"], len(body["lineage"]["weights_sha256"])) == (7, 64)
    assert body["links"] == {
        "self": f"/v1/models/{model_id}",
        "predict": f"/v1/models/{model_id}/predict",
        "weights": f"/v1/models/{model_id}/weights",
        "onnx": f"/v1/models/{model_id}/onnx",
        "receipt": f"/v1/models/{model_id}/receipt",
        "job": "/v1/jobs/job_1",
    }


LINEAGE = {
    "job_id": "job_1",
    "attempt": 2,
    "notes": ["continued on another machine"],
    "dataset_id": "ds_1",
    "dataset_sha256": "0" * 64,
    "spec": {"epochs": 3, "seed": 7},
    "seed": 7,
    "fingerprint": {"blas_kernel": "Haswell"},
    "versions": {"gradserve": "0.1.0", "numpy": "2.4.0"},
}


def test_a_receipt_is_what_the_run_left_with_the_sum_of_the_weights(client, stored):
    row = write(stored, add_model, lineage=LINEAGE, weights=b"abc", preprocessing=preprocessing())
    receipt = client.get(f"/v1/models/{row.id}/receipt").json()
    created_at = client.get(f"/v1/models/{row.id}").json()["created_at"]
    assert receipt == {key: value for key, value in LINEAGE.items() if key != "versions"} | {
        "model_id": row.id,
        "created_at": created_at,
        "code_version": "0.1.0",
        "weights_sha256": sha256(b"abc").hexdigest(),
    }


def test_the_spec_stands_in_the_receipt_and_not_in_every_list(client, stored):
    row = write(stored, add_model, lineage=LINEAGE, preprocessing=preprocessing())
    shown = client.get(f"/v1/models/{row.id}").json()["lineage"]
    assert shown.keys() == LINEAGE.keys() - {"spec"} | {"weights_sha256"}


def test_a_model_that_was_not_trained_here_has_no_receipt(client, model_id):
    response = client.get(f"/v1/models/{model_id}/receipt")
    assert "has no receipt" in problem_of(response, 409, "conflict")["detail"]


def test_an_unknown_model_has_no_receipt(client):
    problem_of(client.get("/v1/models/nope/receipt"), 404, "not-found")


def test_a_model_of_arrays_tells_their_shape(client, stored):
    inputs = InputEncoder.fit({"x": np.zeros((2, 4, 4, 1))}, {"x": "tensor"})
    fitted = {"inputs": inputs.to_document(), "target": None, "link": "none"}
    model_id = write(stored, add_model, preprocessing=fitted).id
    body = client.get(f"/v1/models/{model_id}").json()
    assert body["input_schema"] == {"type": "tensor", "shape": [4, 4, 1]}
    assert body["output_schema"] == {"type": "value"}
    assert "job" not in body["links"]


def test_models_are_listed_newest_first(client, stored):
    ids = [write(stored, add_model, preprocessing=preprocessing()).id for _ in range(3)]
    first = client.get("/v1/models?limit=2").json()
    rest = client.get(f"/v1/models?limit=2&cursor={first['next_cursor']}").json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]


def test_predictions_come_back_in_order(client, model_id):
    response = predict(
        client, model_id, [{"length": 9, "kind": "elm"}, {"length": -9, "kind": "oak"}]
    )
    assert response.status_code == 200
    body = response.json()
    assert body["model_id"] == model_id
    assert [each["label"] for each in body["predictions"]] == ["no", "yes"]
    assert body["predictions"][0]["probabilities"].keys() == {"no", "yes"}


def test_a_second_prediction_needs_no_weights_from_the_store(client, model_id, stored):
    instances = [{"length": 1, "kind": "oak"}]
    first = predict(client, model_id, instances).json()
    with stored.writing() as session:
        session.execute(text("DELETE FROM blob_chunks"))
    assert predict(client, model_id, instances).json() == first


def test_a_deleted_model_predicts_no_more_even_from_memory(client, model_id, stored):
    instances = [{"length": 1, "kind": "oak"}]
    predict(client, model_id, instances)
    assert client.delete(f"/v1/models/{model_id}").status_code == 204
    problem_of(predict(client, model_id, instances), 404, "not-found")
    assert count(stored, "models", "blobs", "blob_chunks") == [0, 0, 0]


def test_damaged_weights_are_told_and_not_used(client, model_id, stored):
    with stored.writing() as session:
        session.execute(text("DELETE FROM blob_chunks"))
    body = problem_of(
        predict(client, model_id, [{"length": 1, "kind": "oak"}]), 500, "damaged-data"
    )
    assert body["detail"].endswith("do not match their SHA-256")


@pytest.mark.parametrize(
    ("instance", "pointer", "words"),
    [
        ({"length": 1}, "/instances/0/kind", 'the column "kind" is missing'),
        ({"length": 1, "kind": "oak", "x/y": 1}, "/instances/0/x~1y", "unknown column"),
        ({"length": "a", "kind": "oak"}, "/instances/0/length", 'is "a", expected a number'),
        ([1, "oak"], "/instances/0", 'must be an object of the columns "length", "kind"'),
    ],
)
def test_a_wrong_instance_is_pointed_at(client, model_id, instance, pointer, words):
    assert words in mistakes_of(predict(client, model_id, [instance]))[pointer]


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ({}, "/instances", "this field is required"),
        ({"instances": {}}, "/instances", "Input should be a valid list"),
        ({"instances": [], "model": 1}, "/model", "unknown field"),
        ([], "", "must be a JSON object"),
    ],
)
def test_a_request_of_the_wrong_form_is_pointed_at(client, model_id, body, pointer, words):
    found = mistakes_of(client.post(f"/v1/models/{model_id}/predict", json=body))
    assert words in found[pointer]


def test_no_instances_get_no_predictions(client, model_id):
    assert predict(client, model_id, []).json() == {"model_id": model_id, "predictions": []}


def test_too_many_instances_are_refused(client, model_id):
    found = mistakes_of(predict(client, model_id, [0] * (MAX_INSTANCES + 1)))
    assert f"at most {MAX_INSTANCES} items" in found["/instances"]


def test_the_weights_are_a_safetensors_file(client, model_id):
    response = client.get(f"/v1/models/{model_id}/weights")
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"] == (
        f'attachment; filename="{model_id}.safetensors"'
    )
    tensors = load(io.BytesIO(response.content).getvalue())
    np.testing.assert_array_equal(tensors["out.kernel"], WEIGHTS["out.kernel"])


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("DELETE", ""), ("GET", "/weights"), ("GET", "/onnx"), ("POST", "/predict")],
)
def test_an_unknown_model_is_not_found_anywhere(client, method, path):
    body = {"instances": []} if method == "POST" else None
    response = client.request(method, f"/v1/models/model_0{path}", json=body)
    assert problem_of(response, 404, "not-found")["detail"] == (
        "There is no model 'model_0'. List them with GET /v1/models."
    )


def test_deleting_a_model_leaves_others_alone(client, model_id, stored):
    fitted = {"network": NETWORK, "preprocessing": preprocessing()}
    other = write(stored, add_model, weights=save(WEIGHTS), **fitted).id
    client.delete(f"/v1/models/{model_id}")
    assert predict(client, other, []).status_code == 200
    with stored.reading() as session:
        assert models.get(session, DEFAULT_TENANT, other).id == other
