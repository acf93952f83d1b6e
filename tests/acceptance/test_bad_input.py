"""What people get wrong: each mistake is pointed at, nothing is stored, nothing is a 5xx."""

import pytest

from tests.acceptance.service import Service

CSV = "age,city,price\n30,Oslo,1.5\n40,Rome,2.5\n50,Oslo,3.5\n"
DENSE = {"type": "dense", "units": 1}


@pytest.fixture(scope="module")
def prices(service: Service) -> dict:
    return service.upload("prices.csv", CSV)


def refused(service: Service, path: str, **request: object) -> dict:
    before = counts(service)
    response = service.client.post(path, **request)
    assert 400 <= response.status_code < 500, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert counts(service) == before
    problem: dict = response.json()
    assert problem["status"] == response.status_code
    return problem


def counts(service: Service) -> list[list[str]]:
    paths = ("/v1/datasets", "/v1/jobs", "/v1/models")
    return [
        [item["id"] for item in service.client.get(path, params={"limit": 100}).json()["items"]]
        for path in paths
    ]


def pointers(problem: dict) -> list[str]:
    return [each["pointer"] for each in problem["errors"]]


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"network": {"layers": [{"type": "dens", "units": 1}]}}, "/network/layers/0/type", "dens"),
        (
            {"network": {"layers": [{**DENSE, "unit": 1}]}},
            "/network/layers/0/unit",
            "unknown field",
        ),
        ({"network": {"layers": [{**DENSE, "units": -1}]}}, "/network/layers/0/units", "at least"),
        (
            {"network": {"layers": [{**DENSE, "units": 10**12}, DENSE]}},
            "/network/layers/0",
            "MiB",
        ),
        (
            {
                "network": {
                    "input": {"shape": [3, 1, 1]},
                    "layers": [{"type": "conv2d", "filters": 2, "kernel_size": 5}, DENSE],
                }
            },
            "/network/layers/0/kernel_size",
            "larger than the input",
        ),
        (
            {"network": {"layers": [{**DENSE, "units": 7}]}},
            "/network/layers/0/units",
            "end with 1 unit",
        ),
        ({"network": {"input": {"shape": [9]}, "layers": [DENSE]}}, "/network/input/shape", "9"),
        ({"target": "prise"}, "/target", "Did you mean 'price'"),
        ({"features": {"include": ["agee"]}}, "/features/include/0", "Did you mean 'age'"),
        ({"epoch": 3}, "/epoch", "did you mean 'epochs'"),
        ({"epochs": -1}, "/epochs", "at least 0"),
        ({"optimizer": {"type": "adamm"}}, "/optimizer/type", "adam"),
        ({"loss": "cross_entropy", "task": "regression"}, "/loss", "mean_squared_error"),
        ({"metrics": ["accuracy"]}, "/metrics/0", "does not suit regression"),
        ({"dataset_id": "ds_nope"}, "/dataset_id", "There is no dataset"),
        ({"validation": {"fraction": 1.5}}, "/validation/fraction", "less than 1"),
    ],
)
def test_a_wrong_job_is_refused_with_a_pointer(
    service: Service, prices: dict, change: dict, pointer: str, words: str
):
    job = {"dataset_id": prices["id"], "target": "price", "network": {"layers": [DENSE]}}
    for path in ("/v1/jobs", "/v1/jobs/plan"):
        problem = refused(service, path, json=job | change)
        assert pointers(problem) == [pointer]
        assert words in problem["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("age,price\n", "no row"),
        ("age,price\n1,2\n3\n", "line 3"),
        ("age,age\n1,2\n", "age"),
        ("age,price\n" + "".join(f"{n},1\n" for n in range(20)) + "old,2\n", "old"),
        ("age,price\ninf,2\n", "line 2"),
        (b"age,name\n1,caf\xe9\n", "UTF-8"),
    ],
)
def test_a_wrong_csv_is_refused_in_words(service: Service, content: str, words: str):
    problem = refused(service, "/v1/datasets", files={"file": ("data.csv", content)})
    assert pointers(problem) == ["/file"]
    assert words in problem["detail"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not JSON"),
        (b"", "the body is empty"),
        (b'{"rows": [{"a": NaN}]}', "NaN is not a JSON number"),
        (b'{"rows": [{"a": 1e999}]}', "too large"),
        (b'{"rows": 1, "rows": 2}', "stands twice"),
        (b"[" * 5000, "deeper than"),
        (b'{"rows": [{"a": ' + b"9" * 5000 + b"}]}", "too long"),
        (b"\xff\xfe", "UTF-8"),
        (b'{"rows": [{"a": 1}, {"b": 1}]}', "/rows/1/a"),
        (b'{"arrays": {"x": [[1, 2], [3]]}}', "/arrays/x/1"),
    ],
)
def test_a_body_that_is_no_good_json_is_refused(service: Service, body: bytes, words: str):
    problem = refused(
        service, "/v1/datasets", content=body, headers={"Content-Type": "application/json"}
    )
    assert words in problem["detail"]


def test_curls_default_content_type_is_explained(service: Service):
    problem = refused(
        service,
        "/v1/jobs",
        content=b"{}",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert problem["status"] == 415
    assert "Content-Type: application/json" in problem["detail"]


@pytest.mark.parametrize(
    ("instance", "pointer", "words"),
    [
        ({"age": 30, "city": "Oslo", "agee": 1}, "/instances/0/agee", "unknown column"),
        ({"age": 30}, "/instances/0/city", "missing"),
        ({"age": "thirty", "city": "Oslo"}, "/instances/0/age", "expected a number"),
        ({"age": 30, "city": "Bergen"}, "/instances/0/city", "Oslo"),
        ([30, "Oslo"], "/instances/0", "object"),
    ],
)
def test_a_wrong_instance_is_refused_with_a_pointer(
    service: Service, prices: dict, instance: object, pointer: str, words: str
):
    job = {
        "dataset_id": prices["id"],
        "target": "price",
        "network": {"layers": [DENSE]},
        "epochs": 0,
    }
    done = service.finished(service.post("/v1/jobs", 202, json=job))
    path = f"/v1/models/{done['model_id']}/predict"
    problem = refused(service, path, json={"instances": [instance]})
    assert pointers(problem) == [pointer]
    assert words in problem["errors"][0]["detail"]
