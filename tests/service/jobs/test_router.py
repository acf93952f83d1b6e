"""Jobs over HTTP, from submission to deletion."""

from __future__ import annotations

import json
import re

import pytest
import redis
from starlette.testclient import TestClient

from service.app import create_app
from service.broker import QUEUE
from service.store import leases
from service.store.checkpoints import Progress
from service.store.leases import Wishes
from tests.service.jobs.leaves import dense, job
from tests.service.problem import mistakes_of, problem_of
from tests.service.rows import claim, count, epoch, succeed, write

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def submitted(client, leaves):
    """The answer to a submission."""
    response = client.post("/v1/jobs", json=job(leaves, name="mine", tags={"team": "a"}))
    assert response.status_code == 202, response.text
    return response.json()


def get(client, submitted):
    return client.get(submitted["links"]["self"]).json()


def test_a_submitted_job_is_accepted_and_found_at_its_location(client, leaves):
    response = client.post("/v1/jobs", json=job(leaves, name="mine"))
    body = response.json()
    assert (response.status_code, body["status"], body["name"]) == (202, "queued", "mine")
    assert response.headers["location"] == f"/v1/jobs/{body['id']}" == body["links"]["self"]
    assert client.get(response.headers["location"]).json() == body
    assert body["dataset_id"] == leaves
    assert (body["attempt"], body["metrics"]) == (0, {})
    assert body["model_id"] is body["error"] is body["started_at"] is body["finished_at"] is None
    assert RFC3339.fullmatch(body["created_at"])
    assert body["progress"] == {
        "epoch": 0,
        "epochs": 10,
        "step": 0,
        "steps": 20,
        "fraction": 0.0,
        "eta_seconds": None,
    }
    assert body["spec"]["optimizer"]["learning_rate"] == 0.001


def test_its_links_lead_somewhere(client, submitted):
    links = submitted["links"]
    verbs = {"cancel", "pause", "resume", "retry"}
    assert set(links) == {"self", "history", "events", "dataset", *verbs}
    for name in ("self", "history", "dataset"):
        assert client.get(links[name]).status_code == 200
    for name in ("pause", "resume", "cancel", "retry"):
        assert client.post(links[name]).status_code == 202


def test_submitting_rings_for_a_worker(settings, redis_url, sqlite_url):
    with TestClient(create_app(settings.model_copy(update={"broker_url": redis_url}))) as client:
        rows = [{"x": number, "y": number} for number in range(3)]
        dataset_id = client.post("/v1/datasets", json={"rows": rows}).json()["id"]
        document = job(dataset_id, target="y", features=None, network=dense(1))
        job_id = client.post("/v1/jobs", json=document).json()["id"]
    with redis.Redis.from_url(redis_url) as broker:
        (message,) = broker.lrange(QUEUE, 0, -1)
    assert job_id in json.loads(message)["headers"]["argsrepr"]


def test_a_refused_job_leaves_nothing_behind(client, leaves, stored):
    mistakes_of(client.post("/v1/jobs", json=job(leaves, network=dense(4))))
    assert count(stored, "jobs", "job_tags", "job_events") == [0, 0, 0]


def test_a_running_job_shows_how_far_it_is(client, submitted, stored):
    claimed = write(stored, claim)
    write(stored, leases.beat, claimed, 60, Progress(epoch=3, step=5, training_ms=1000))
    body = get(client, submitted)
    assert (body["status"], body["attempt"]) == ("running", 1)
    assert RFC3339.fullmatch(body["started_at"])
    assert body["progress"] == {
        "epoch": 3,
        "epochs": 10,
        "step": 5,
        "steps": 20,
        "fraction": 0.25,
        "eta_seconds": 3.0,
    }


def test_nobody_can_tell_the_end_of_a_run_that_has_not_begun(client, submitted, stored):
    write(stored, claim)
    assert get(client, submitted)["progress"]["eta_seconds"] is None


def test_a_succeeded_job_leads_to_its_model(client, submitted, stored):
    model_id = write(stored, succeed, write(stored, claim))
    body = get(client, submitted)
    assert (body["status"], body["model_id"]) == ("succeeded", model_id)
    assert body["metrics"] == {"loss": 0.5}
    assert body["links"]["model"] == f"/v1/models/{model_id}"
    assert body["links"]["predict"] == f"/v1/models/{model_id}/predict"
    assert (body["progress"]["fraction"], body["progress"]["eta_seconds"]) == (1.0, 0.0)
    assert RFC3339.fullmatch(body["finished_at"])


def test_a_job_that_stopped_early_is_done_all_the_same(client, submitted, stored):
    claimed = write(stored, claim)
    write(stored, leases.record_epochs, claimed, [epoch(1)])
    write(stored, succeed, claimed)
    assert get(client, submitted)["progress"]["fraction"] == 1.0


def test_a_failed_job_says_why(client, submitted, stored):
    error = {"type": "diverged", "detail": "The loss is not finite.", "epoch": 2}
    write(stored, leases.fail, write(stored, claim), error)
    body = get(client, submitted)
    assert (body["status"], body["error"], body["model_id"]) == ("failed", error, None)


def test_an_unfinished_job_says_when_to_ask_again(client, submitted, stored):
    assert client.get(submitted["links"]["self"]).headers["retry-after"] == "1"
    write(stored, leases.cancelled, write(stored, claim))
    assert "retry-after" not in client.get(submitted["links"]["self"]).headers


def test_an_unchanged_job_is_not_sent_again(client, submitted, stored):
    path = submitted["links"]["self"]
    tag = client.get(path).headers["etag"]
    assert re.fullmatch(r'"[^"]+"', tag)
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        response = client.get(path, headers={"If-None-Match": known})
        assert (response.status_code, response.content) == (304, b"")
        assert (response.headers["etag"], response.headers["retry-after"]) == (tag, "1")
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_whatever_changes_a_job_changes_its_etag(client, submitted, stored):
    path = submitted["links"]["self"]
    tags = [client.get(path).headers["etag"]]
    claimed = write(stored, claim)
    for change in (
        lambda session: leases.beat(session, claimed, 60, Progress(1, 1, 10)),
        lambda session: leases.record_epochs(session, claimed, [epoch(2)]),
        lambda session: leases.record_epochs(session, claimed, [epoch(1, loss=0.1)]),
        lambda session: succeed(session, claimed),
    ):
        write(stored, change)
        tags.append(client.get(path).headers["etag"])
        known = {"If-None-Match": tags[-2]}
        assert client.get(path, headers=known).status_code == 200
    assert len(set(tags)) == len(tags)


def test_history_has_one_item_an_epoch(client, submitted, stored):
    path = submitted["links"]["history"]
    assert client.get(path).json() == {"items": []}
    claimed = write(stored, claim)
    write(stored, leases.record_epochs, claimed, [epoch(1, loss=0.9), epoch(2, loss=0.8)])
    assert client.get(path).json() == {
        "items": [
            {"epoch": 1, "step": 10, "loss": 0.9, "learning_rate": 0.1},
            {"epoch": 2, "step": 20, "loss": 0.8, "learning_rate": 0.1},
        ]
    }


def test_jobs_are_listed_by_status_dataset_and_tag(client, leaves, submitted):
    other = client.post("/v1/jobs", json=job(leaves, tags={"team": "b", "run": "7:a"})).json()["id"]
    client.post(f"/v1/jobs/{other}/cancel")

    def listed(query):
        return [item["id"] for item in client.get(f"/v1/jobs?{query}").json()["items"]]

    assert listed("") == [other, submitted["id"]]
    assert listed("status=queued") == [submitted["id"]]
    assert listed("status=cancelled&tag=team") == [other]
    assert listed("tag=team:a") == [submitted["id"]]
    assert listed("tag=run:7:a") == [other]
    assert listed("tag=team:") == []
    assert listed(f"dataset_id={leaves}&limit=1") == [other]
    assert listed("dataset_id=ds_0") == []


def test_the_pages_of_a_list_follow_each_other(client, leaves):
    ids = [client.post("/v1/jobs", json=job(leaves)).json()["id"] for _ in range(3)]
    first = client.get("/v1/jobs?limit=2").json()
    rest = client.get(f"/v1/jobs?limit=2&cursor={first['next_cursor']}").json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None


def test_a_queued_job_is_cancelled_at_once(client, submitted):
    response = client.post(submitted["links"]["cancel"])
    assert (response.status_code, response.json()["status"]) == (202, "cancelled")
    assert RFC3339.fullmatch(response.json()["finished_at"])


def test_a_running_job_stops_when_its_worker_sees_it(client, submitted, stored):
    claimed = write(stored, claim)
    assert client.post(submitted["links"]["cancel"]).json()["status"] == "running"
    assert write(stored, leases.beat, claimed, 60, None) == Wishes(cancel=True)


def test_cancelling_a_final_job_changes_nothing(client, submitted, stored):
    write(stored, succeed, write(stored, claim))
    before = get(client, submitted)
    response = client.post(submitted["links"]["cancel"])
    assert (response.status_code, response.json()) == (202, before)


def test_a_job_is_paused_and_goes_on_when_it_is_resumed(client, submitted, stored):
    paused = client.post(submitted["links"]["pause"])
    assert (paused.status_code, paused.json()["status"]) == (202, "paused")
    assert client.get("/v1/jobs?status=paused").json()["items"] == [paused.json()]
    resumed = client.post(submitted["links"]["resume"])
    assert (resumed.status_code, resumed.json()["status"]) == (202, "queued")
    write(stored, succeed, write(stored, claim))
    for verb in ("pause", "resume"):
        problem_of(client.post(submitted["links"][verb]), 409, "conflict")


def test_a_paused_job_keeps_its_dataset(client, submitted, leaves):
    client.post(submitted["links"]["pause"])
    problem_of(client.delete(f"/v1/datasets/{leaves}"), 409, "conflict")


def test_a_final_job_is_trained_anew_as_another_job(client, submitted, stored):
    path = submitted["links"]["retry"]
    body = problem_of(client.post(path), 409, "conflict")
    assert body["detail"] == f"Job {submitted['id']} is queued; only a final job is trained anew."
    client.post(submitted["links"]["cancel"])
    headers = {"Idempotency-Key": "again"}
    response = client.post(path, headers=headers)
    again = response.json()
    assert (response.status_code, again["status"]) == (202, "queued")
    assert response.headers["location"] == again["links"]["self"]
    assert again["id"] != submitted["id"]
    assert again["spec"] == submitted["spec"]
    assert client.post(path, headers=headers).json() == again
    assert get(client, submitted)["status"] == "cancelled"


def test_a_job_whose_dataset_is_gone_is_not_trained_anew(client, submitted, leaves):
    client.post(submitted["links"]["cancel"])
    assert client.delete(f"/v1/datasets/{leaves}").status_code == 204
    body = problem_of(client.post(submitted["links"]["retry"]), 409, "conflict")
    assert "Upload it again" in body["detail"]


def test_a_final_job_is_deleted(client, submitted, stored):
    path = submitted["links"]["self"]
    body = problem_of(client.delete(path), 409, "conflict")
    assert body["detail"] == (
        f"Job {submitted['id']} is queued; only a final job can be deleted. "
        f"Cancel it first with POST {path}/cancel."
    )
    client.post(submitted["links"]["cancel"])
    assert client.delete(path).status_code == 204
    assert count(stored, "jobs", "job_tags", "job_events") == [0, 0, 0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/jobs/job_0"),
        ("GET", "/v1/jobs/job_0/history"),
        ("GET", "/v1/jobs/job_0/events"),
        ("POST", "/v1/jobs/job_0/cancel"),
        ("POST", "/v1/jobs/job_0/pause"),
        ("POST", "/v1/jobs/job_0/resume"),
        ("POST", "/v1/jobs/job_0/retry"),
        ("DELETE", "/v1/jobs/job_0"),
    ],
)
def test_an_unknown_job_is_not_found_anywhere(client, method, path):
    body = problem_of(client.request(method, path), 404, "not-found")
    assert body["detail"] == "There is no job 'job_0'. List them with GET /v1/jobs."


SHAPES = {
    "an unknown field": ({"epoch": 3}, "/epoch", "unknown field; did you mean 'epochs'?"),
    "a field like no other": ({"{z}/z": 3}, "/{z}~1z", "unknown field; known: accumulate_steps, "),
    "an unknown field of the features": (
        {"features": {"colour": 1}},
        "/features/colour",
        "unknown field; remove it or check its spelling",
    ),
    "an unknown option": (
        {"features": {"columns": {"length": {"scal": "none"}}}},
        "/features/columns/length/scal",
        "unknown field",
    ),
    "an unknown scale": ({"features": {"scale": "log"}}, "/features/scale", "'none', 'standard'"),
    "no features": ({"features": {"include": []}}, "/features/include", "at least 1 item"),
    "a text for a number": ({"priority": "high"}, "/priority", "valid integer"),
    "true for a number": ({"budget_seconds": True}, "/budget_seconds", "valid number"),
    "a budget of nothing": ({"budget_seconds": 0}, "/budget_seconds", "greater than 0"),
    "an unknown task": ({"task": "clustering"}, "/task", "Input should be"),
    "a fraction of all": ({"test": {"fraction": 1}}, "/test/fraction", "less than 1"),
    "an unknown field of a part": ({"test": {"rows": 3}}, "/test/rows", "unknown field"),
    "a tag that is no text": ({"tags": {"run": 7}}, "/tags/run", "valid string"),
    "a network that is no object": ({"network": "lenet"}, "/network", "must be a JSON object"),
    "an empty name": ({"name": ""}, "/name", "at least 1 character"),
}


@pytest.mark.parametrize(("given", "pointer", "words"), SHAPES.values(), ids=SHAPES)
def test_a_job_of_the_wrong_form_is_pointed_at(client, leaves, given, pointer, words):
    found = mistakes_of(client.post("/v1/jobs", json=job(leaves, **given)))
    assert words in found[pointer]


def test_a_misspelt_field_is_not_called_missing(client, leaves):
    document = job(leaves)
    document["netwrk"] = document.pop("network")
    found = mistakes_of(client.post("/v1/jobs", json=document))
    assert found == {"/netwrk": "unknown field; did you mean 'network'?"}
