"""Creating exactly once over HTTP."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.dependencies import Caller
from service.idempotency import Once
from service.store import datasets, jobs
from service.store.tenants import DEFAULT_TENANT
from tests.service.problem import mistakes_of, problem_of
from tests.service.rows import count, read

ROWS = {"rows": [{"x": 1, "y": 2}, {"x": 2, "y": 4}, {"x": 3, "y": 6}]}
NETWORK = {"layers": [{"type": "dense", "units": 1}]}
KEY = {"Idempotency-Key": "k"}


@pytest.fixture
def job(client):
    """A job document that may be submitted."""
    dataset_id = client.post("/v1/datasets", json=ROWS).json()["id"]
    return {"dataset_id": dataset_id, "target": "y", "network": NETWORK}


def upload(client, boundary, key="k", name="leaves"):
    lines = [
        f"--{boundary}",
        'Content-Disposition: form-data; name="name"',
        "",
        name,
        f"--{boundary}",
        'Content-Disposition: form-data; name="file"; filename="leaves.csv"',
        "",
        "x,y\r\n1,2\r\n3,4",
        f"--{boundary}--",
        "",
    ]
    headers = {
        "Idempotency-Key": key,
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }
    return client.post("/v1/datasets", content="\r\n".join(lines).encode(), headers=headers)


def test_the_same_key_and_body_get_the_first_answer_again(client, job, stored):
    first, again = (client.post("/v1/jobs", json=job, headers=KEY) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert (
        again.headers["location"] == first.headers["location"] == f"/v1/jobs/{first.json()['id']}"
    )
    assert len(read(stored, jobs.page, DEFAULT_TENANT, None, 9).items) == 1


def test_the_first_answer_stays_even_when_the_job_has_moved_on(client, job):
    first = client.post("/v1/jobs", json=job, headers=KEY).json()
    client.post(first["links"]["cancel"])
    assert client.post("/v1/jobs", json=job, headers=KEY).json() == first


def test_without_a_key_each_request_creates(client, job, stored):
    for _ in range(2):
        client.post("/v1/jobs", json=job)
    assert count(stored, "jobs", "idempotency_keys") == [2, 0]


def test_spaces_in_json_are_no_difference(client, job, stored):
    for text in (json.dumps(job), json.dumps(job, indent=4)):
        assert client.post("/v1/jobs", content=text, headers=KEY).status_code == 202
    assert count(stored, "jobs") == [1]


def test_another_body_with_the_same_key_is_refused(client, job, stored):
    client.post("/v1/jobs", json=job, headers=KEY)
    response = client.post("/v1/jobs", json=job | {"seed": 1}, headers=KEY)
    body = problem_of(response, 422, "idempotency-key-reused")
    assert body["detail"] == (
        "The Idempotency-Key 'k' was used for another request. "
        "Use a fresh key for each different request."
    )
    assert count(stored, "jobs") == [1]


def test_the_same_key_on_another_path_is_another_request(client, job):
    client.post("/v1/jobs", json=job, headers=KEY)
    response = client.post("/v1/datasets", json=ROWS, headers=KEY)
    problem_of(response, 422, "idempotency-key-reused")


def test_a_refused_request_leaves_its_key_free(client, job):
    mistakes_of(client.post("/v1/jobs", json=job | {"target": "z"}, headers=KEY))
    assert client.post("/v1/jobs", json=job, headers=KEY).status_code == 202


def test_a_form_with_another_boundary_is_the_same_request(client, stored):
    first, again = upload(client, "oak"), upload(client, "elm")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert count(stored, "datasets") == [1]


def test_a_form_with_another_name_is_another_request(client):
    upload(client, "oak")
    problem_of(upload(client, "oak", name="other"), 422, "idempotency-key-reused")


def test_rows_are_created_once_too(client, stored):
    first, again = (client.post("/v1/datasets", json=ROWS, headers=KEY) for _ in range(2))
    assert again.json() == first.json()
    assert len(read(stored, datasets.page, DEFAULT_TENANT, None, 9).items) == 1


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_is_neither_empty_nor_endless(client, job, key):
    response = client.post("/v1/jobs", json=job, headers={"Idempotency-Key": key})
    assert mistakes_of(response)[""].startswith("header parameter 'idempotency-key': String should")


def test_concurrent_requests_with_one_key_create_one_job(client, job, stored):
    together = threading.Barrier(4)

    def submit(_):
        together.wait(10)
        return client.post("/v1/jobs", json=job, headers=KEY)

    with ThreadPoolExecutor(4) as threads:
        responses = list(threads.map(submit, range(4)))
    assert count(stored, "jobs", "idempotency_keys") == [1, 1]
    created = {response.json()["id"] for response in responses if response.status_code == 202}
    assert len(created) == 1
    for response in responses:
        if response.status_code != 202:
            body = problem_of(response, 409, "request-in-progress")
            assert body["detail"].endswith("Repeat yours in a moment to get its answer.")
            assert int(response.headers["retry-after"]) >= 1


def test_two_processes_that_get_the_same_key_create_one_job(settings, postgres_url, monkeypatch):
    # Processes share the database and not what each of them is busy with.
    monkeypatch.setattr(Once, "_alone", lambda _: nullcontext())
    settings = settings.model_copy(update={"database_url": postgres_url})
    with TestClient(create_app(settings)) as one, TestClient(create_app(settings)) as other:
        dataset_id = one.post("/v1/datasets", json=ROWS).json()["id"]
        body = {"dataset_id": dataset_id, "target": "y", "network": NETWORK}
        # FastAPI builds a route at its first request, and silences warnings for all threads then.
        for client in (one, other):
            client.post("/v1/jobs", json={})
        together = threading.Barrier(2)

        def submit(client, key):
            together.wait(10)
            return client.post("/v1/jobs", json=body, headers={"Idempotency-Key": key})

        with ThreadPoolExecutor(2) as threads:
            for key in "abcde":
                both = [threads.submit(submit, client, key) for client in (one, other)]
                answers = [future.result() for future in both]
                assert [answer.status_code for answer in answers] == [202, 202]
                assert answers[0].json() == answers[1].json()
        assert count(one.app.state.database, "jobs", "idempotency_keys") == [5, 5]


def test_a_key_that_is_being_worked_on_is_told_to_wait(client, job, stored):
    first = Once(stored, Caller(DEFAULT_TENANT), "k", "/v1/jobs")
    with first._alone():
        response = client.post("/v1/jobs", json=job, headers=KEY)
        body = problem_of(response, 409, "request-in-progress")
        assert body["detail"] == (
            "A request with the Idempotency-Key 'k' is still being worked on. "
            "Repeat yours in a moment to get its answer."
        )
        assert int(response.headers["retry-after"]) >= 1
        other = client.post("/v1/jobs", json=job, headers={"Idempotency-Key": "other"})
        assert other.status_code == 202
    assert client.post("/v1/jobs", json=job, headers=KEY).status_code == 202
