"""A plan is the job without the job."""

from __future__ import annotations

import pytest

from tests.service.jobs.leaves import dense, job
from tests.service.problem import mistakes_of, problem_of
from tests.service.rows import count


def test_a_plan_shows_each_layer_and_the_sums(client, leaves):
    response = client.post("/v1/jobs/plan", json=job(leaves, network=dense(8, 3)))
    assert response.status_code == 200
    plan = response.json()
    assert plan["layers"] == [
        {
            "name": "dense_1",
            "type": "dense",
            "output_shape": [8],
            "parameters": 3 * 8 + 8,
            "flops": 8 * (2 * 3 + 1),
        },
        {
            "name": "dense_2",
            "type": "dense",
            "output_shape": [3],
            "parameters": 8 * 3 + 3,
            "flops": 3 * (2 * 8 + 1),
        },
    ]
    assert plan["parameters"] == 59
    assert plan["memory_bytes"] > 59 * 4
    assert plan["seconds_per_epoch"] > 0
    assert plan["warnings"] == []


def test_a_plan_stores_nothing(client, leaves, stored):
    client.post("/v1/jobs/plan", json=job(leaves))
    assert count(stored, "jobs", "job_events", "idempotency_keys") == [0, 0, 0]


def test_a_plan_has_the_spec_that_the_job_will_get(client, leaves):
    planned = client.post("/v1/jobs/plan", json=job(leaves)).json()["spec"]
    submitted = client.post("/v1/jobs", json=job(leaves)).json()["spec"]
    assert planned == submitted


def test_a_plan_of_a_plan_is_the_same(client, leaves):
    plan = client.post("/v1/jobs/plan", json=job(leaves, epochs=0)).json()
    assert client.post("/v1/jobs/plan", json=plan["spec"]).json() == plan
    assert plan["warnings"] == ["epochs is 0: the model keeps its initial weights."]


@pytest.mark.parametrize(
    "given",
    [
        {"target": "knd"},
        {"network": dense(4)},
        {"network": {"layers": []}},
        {"network": {"layers": [{"type": "dense", "units": 0}]}},
        {"epochs": -1},
        {"metrics": ["r2"]},
        {"validation": {"fraction": 1.5}},
        {"features": {"include": []}},
        {"network": dense(1000, 1000, 3)},
        {"colour": "red"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_a_plan_is_refused_exactly_as_the_job_is(client, leaves, stored, given):
    answers = [
        client.post(path, json=job(leaves, **given)) for path in ("/v1/jobs/plan", "/v1/jobs")
    ]
    assert mistakes_of(answers[0]) == mistakes_of(answers[1])
    plan, submitted = (answer.json() | {"instance": ""} for answer in answers)
    assert plan == submitted
    assert count(stored, "jobs") == [0]


def test_a_dataset_that_does_not_exist_is_pointed_at(client):
    for path in ("/v1/jobs/plan", "/v1/jobs"):
        assert mistakes_of(client.post(path, json=job("ds_0"))) == {
            "/dataset_id": "There is no dataset 'ds_0'. List them with GET /v1/datasets."
        }


def test_a_plan_is_no_job_id(client):
    body = problem_of(client.get("/v1/jobs/plan"), 404, "not-found")
    assert body["detail"] == "There is no job 'plan'. List them with GET /v1/jobs."
