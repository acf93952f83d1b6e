"""The OpenAPI document is whole and shows what nncore takes."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from service.app import create_app
from service.settings import Settings

OPERATIONS = {
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/v1/datasets"),
    ("post", "/v1/datasets"),
    ("get", "/v1/datasets/{dataset_id}"),
    ("delete", "/v1/datasets/{dataset_id}"),
    ("get", "/v1/datasets/{dataset_id}/rows"),
    ("get", "/v1/jobs"),
    ("post", "/v1/jobs"),
    ("post", "/v1/jobs/plan"),
    ("get", "/v1/jobs/{job_id}"),
    ("delete", "/v1/jobs/{job_id}"),
    ("post", "/v1/jobs/{job_id}/cancel"),
    ("post", "/v1/jobs/{job_id}/pause"),
    ("post", "/v1/jobs/{job_id}/resume"),
    ("post", "/v1/jobs/{job_id}/retry"),
    ("get", "/v1/jobs/{job_id}/history"),
    ("get", "/v1/jobs/{job_id}/events"),
    ("get", "/v1/models"),
    ("get", "/v1/models/{model_id}"),
    ("delete", "/v1/models/{model_id}"),
    ("get", "/v1/models/{model_id}/weights"),
    ("get", "/v1/models/{model_id}/onnx"),
    ("get", "/v1/models/{model_id}/receipt"),
    ("post", "/v1/models/{model_id}/predict"),
}


@pytest.fixture(scope="module")
def document():
    return create_app(Settings()).openapi()


def parts(node):
    """Every object in a document."""
    if isinstance(node, dict):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(each)


def operations(document):
    return {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_it_is_served_with_its_pages(client):
    assert client.get("/openapi.json").json()["info"]["title"] == "gradserve"
    assert client.get("/docs").status_code == 200


def test_every_operation_is_there(document):
    assert set(operations(document)) == OPERATIONS


def test_every_operation_has_an_id_of_its_own_and_a_summary(document):
    found = operations(document).values()
    ids = Counter(operation["operationId"] for operation in found)
    assert set(ids.values()) == {1}
    assert all(operation.get("description") or operation.get("summary") for operation in found)


def test_no_reference_leads_nowhere(document):
    schemas = document["components"]["schemas"]
    references = {part["$ref"] for part in parts(document) if isinstance(part.get("$ref"), str)}
    assert "#/components/schemas/JobCreate" in references
    for reference in references:
        match = re.fullmatch(r"#/components/schemas/([^/]+)", reference)
        assert match, reference
        assert match[1] in schemas, reference


def test_no_schema_hides_definitions_of_its_own(document):
    assert not any("$defs" in part for part in parts(document))


def test_a_job_shows_the_fields_of_training(document):
    job = document["components"]["schemas"]["JobCreate"]
    assert {"loss", "optimizer", "schedule", "epochs", "batch_size", "metrics"} <= set(
        job["properties"]
    )
    assert job["properties"]["network"] == {"$ref": "#/components/schemas/NetworkSpec"}
    assert job["additionalProperties"] is False
    assert job["required"] == ["dataset_id", "network"]


def test_networks_and_optimizers_are_described_to_their_fields(document):
    schemas = document["components"]["schemas"]
    described = {
        (
            part["properties"]["type"].get("const")
            or tuple(part["properties"]["type"].get("enum", []))
        )
        for part in parts(schemas)
        if isinstance(part.get("properties"), dict)
        and isinstance(part["properties"].get("type"), dict)
    }
    names = {name for each in described for name in ([each] if isinstance(each, str) else each)}
    assert {"dense", "conv2d", "max_pool2d", "flatten", "dropout", "adam", "sgd"} <= names


def test_an_upload_takes_a_form_or_json(document):
    content = document["paths"]["/v1/datasets"]["post"]["requestBody"]["content"]
    assert set(content) == {"multipart/form-data", "application/json"}
    assert content["multipart/form-data"]["schema"]["required"] == ["file"]
