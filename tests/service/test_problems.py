"""Every error is a problem document, and every kind is known and documented."""

from __future__ import annotations

import errno
import re
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service import errors, problems
from service.app import create_app
from service.errors import GradserveError
from service.settings import Settings
from tests.service.problem import mistakes_of, problem_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "problems.md"
OTHERS = [problems.INTERNAL, *problems._BY_STATUS.values()]


def subclasses(cls):
    return {cls} | {each for child in cls.__subclasses__() for each in subclasses(child)}


def test_every_error_of_the_domain_is_in_the_table():
    assert subclasses(GradserveError) - {GradserveError} == set(problems.PROBLEMS)


def test_no_two_kinds_of_problem_share_a_name():
    names = [problem.name for problem in problems.PROBLEMS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "problem", dict.fromkeys([*problems.PROBLEMS.values(), *OTHERS]), ids=lambda each: each.name
)
def test_every_problem_is_documented_under_its_name(problem):
    sections = re.findall(r"^## (.+)$", DOCUMENT.read_text(), re.MULTILINE)
    assert problem.name in sections


def test_an_unknown_path_is_a_problem(client):
    body = problem_of(client.get("/v2/nothing"), 404, "no-such-path")
    assert body["detail"] == "There is nothing at /v2/nothing. See /docs for the paths."


def test_an_unknown_thing_is_another_problem(client):
    body = problem_of(client.get("/v1/jobs/job_0"), 404, "not-found")
    assert body["detail"] == "There is no job 'job_0'. List them with GET /v1/jobs."


def test_a_wrong_method_says_which_are_right(client):
    response = client.put("/v1/jobs")
    body = problem_of(response, 405, "method-not-allowed")
    assert body["detail"] == "PUT is not allowed at /v1/jobs. See /docs."
    assert "allow" in response.headers


def test_a_body_above_the_limit_is_refused(client):
    response = client.post("/v1/jobs", content=b" " * 200_001)
    body = problem_of(response, 413, "too-large")
    assert body["detail"] == "The body is larger than 200000 bytes (GRADSERVE_MAX_BODY_BYTES)."


def test_a_body_of_unknown_length_is_refused_at_the_limit(client):
    pieces = (b" " * 10_000 for _ in range(30))
    problem_of(client.post("/v1/jobs", content=pieces), 413, "too-large")


def test_a_long_json_body_is_told_to_come_as_a_file(client):
    body = problem_of(client.post("/v1/jobs", content=b" " * 100_001), 413, "too-large")
    assert body["detail"] == (
        "The JSON body has 100001 bytes, more than 100000. "
        "Upload large data as a file (CSV or npz)."
    )


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/plan", "/v1/models/model_0/predict"])
def test_a_body_of_another_kind_is_refused(client, path):
    response = client.post(path, content=b"{}", headers={"Content-Type": "text/csv"})
    body = problem_of(response, 415, "unsupported-media-type")
    assert body["detail"] == (
        "The body is text/csv; send JSON with the header Content-Type: application/json."
    )


@pytest.mark.parametrize("kind", [None, "application/json; charset=utf-8", "application/ld+json"])
def test_a_body_that_calls_itself_json_or_nothing_is_read(client, kind):
    headers = {"Content-Type": kind} if kind else {}
    assert "/dataset_id" in mistakes_of(client.post("/v1/jobs", content=b"{}", headers=headers))


def test_each_mistake_of_a_request_is_told(client):
    response = client.post(
        "/v1/jobs",
        json={"dataset_id": 1, "network": [], "priority": 1000, "features": {"scales": "none"}},
    )
    assert mistakes_of(response) == {
        "/dataset_id": "Input should be a valid string",
        "/network": "must be a JSON object",
        "/priority": "Input should be less than or equal to 100",
        "/features/scales": "unknown field; remove it or check its spelling",
    }
    assert "(and 3 more)" in response.json()["detail"]


def test_a_missing_field_is_named(client):
    assert mistakes_of(client.post("/v1/jobs", json={"network": {}})) == {
        "/dataset_id": "this field is required"
    }


@pytest.mark.parametrize("body", [b"null", b"[]", b'"job"', b"1"])
def test_a_body_that_is_no_object_is_refused(client, body):
    assert mistakes_of(client.post("/v1/jobs", content=body)) == {"": "must be a JSON object"}


def test_a_missing_body_is_refused(client):
    assert mistakes_of(client.post("/v1/jobs")) == {"": "the body is empty"}


def test_a_wrong_key_points_at_itself(client):
    body = {"dataset_id": "", "network": {}, "tags": {"k" * 101: "v"}}
    assert mistakes_of(client.post("/v1/jobs", json=body)) == {
        "/tags/" + "k" * 101: "String should have at most 100 characters"
    }


def test_a_body_that_is_no_json_is_unreadable(client):
    body = problem_of(client.post("/v1/jobs", content=b"oak"), 400, "unreadable-body")
    assert body["detail"] == "the body is not JSON: Expecting value at line 1, column 1"


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999"])
def test_numbers_that_are_not_finite_are_refused_with_422(client, number):
    response = client.post("/v1/jobs", content=b'{"budget_seconds": ' + number + b"}")
    assert mistakes_of(response)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=oak", "status=done"])
def test_a_wrong_query_names_its_parameter(client, query):
    name = query.partition("=")[0]
    detail = mistakes_of(client.get(f"/v1/jobs?{query}"))[""]
    assert detail.startswith(f"query parameter '{name}': Input should be")


def test_every_answer_has_a_request_id_of_its_own(client):
    ids = {client.get("/healthz").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


def test_what_nobody_expected_is_a_problem_that_tells_no_secrets(settings):
    app = create_app(settings)

    @app.get("/broken")
    def broken():
        raise RuntimeError("the password is oak")

    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.get("/broken")
    body = problem_of(response, 500, "internal-error")
    assert "Report it with this problem's instance" in body["detail"]
    assert "oak" not in response.text


@pytest.mark.parametrize("error", problems.PROBLEMS, ids=lambda error: error.__name__)
def test_every_error_of_the_domain_has_its_status(settings, error):
    app = create_app(settings)
    arguments = {errors.NotFound: ("job", "job_0")}.get(error, ())
    given = {"detail": "Mend it."} if issubclass(error, errors.Invalid) else {}
    raised = error(*(arguments or (() if given else ("Mend it.",))), **given)

    @app.get("/broken")
    def broken():
        raise raised

    with TestClient(app) as client:
        response = client.get("/broken")
    problem = problems.PROBLEMS[error]
    assert problem_of(response, problem.status, problem.name)["detail"] == raised.detail
    again = error in (errors.Unavailable, errors.InProgress)
    assert ("retry-after" in response.headers) == again


def test_a_database_that_does_not_answer_is_unavailable_soon(free_port):
    settings = Settings(
        database_url=f"postgresql+psycopg://oak@127.0.0.1:{free_port}/oak",
        broker_url=f"redis://127.0.0.1:{free_port}/0",
    )
    with TestClient(create_app(settings)) as client:
        began = time.monotonic()
        response = client.get("/v1/jobs")
        assert time.monotonic() - began < 10
        body = problem_of(response, 503, "unavailable")
        assert body["detail"] == "The database does not answer. Try again in a moment."
        assert int(response.headers["retry-after"]) >= 1
        problem_of(client.post("/v1/datasets", json={"rows": [{"a": 1}]}), 503, "unavailable")


def test_a_value_that_postgresql_cannot_look_for_is_refused(postgres_url, settings):
    settings = settings.model_copy(update={"database_url": postgres_url})
    with TestClient(create_app(settings)) as client:
        for path in ("/v1/jobs/%00", "/v1/jobs?dataset_id=%00", "/v1/jobs?tag=%00"):
            body = problem_of(client.get(path), 422, "invalid-request")
            assert "a value that cannot be stored or looked for" in body["detail"]


def test_a_full_disk_of_temporary_files_is_told_and_can_be_tried_again(client, monkeypatch):
    def full(*_args, **_named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("starlette.formparsers.SpooledTemporaryFile", full)
    response = client.post("/v1/datasets", files={"file": ("a.csv", "x,y\n1,2\n")})
    body = problem_of(response, 503, "unavailable")
    assert "disk for temporary files" in body["detail"]
    assert response.headers["retry-after"]
