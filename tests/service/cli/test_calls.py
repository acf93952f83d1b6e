import httpx
import pytest

from service.cli import calls

REQUEST = httpx.Request("POST", "http://127.0.0.1:8000/v1/jobs")


def test_a_problem_document_reads_as_its_detail_and_a_line_for_each_mistake() -> None:
    document = {
        "title": "Invalid request",
        "detail": "two fields are wrong",
        "errors": [
            {"pointer": "/network/layers/2/units", "detail": "must be at least 1"},
            {"pointer": "/epochs", "detail": "must be a whole number"},
        ],
    }
    response = httpx.Response(422, json=document, request=REQUEST)
    assert calls.problem(response) == (
        "two fields are wrong\n"
        "  /network/layers/2/units: must be at least 1\n"
        "  /epochs: must be a whole number"
    )


def test_a_problem_without_detail_reads_as_its_title() -> None:
    response = httpx.Response(404, json={"title": "Not found"}, request=REQUEST)
    assert calls.problem(response) == "Not found"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}"])
def test_an_answer_that_is_no_problem_document_is_named(body: bytes) -> None:
    response = httpx.Response(502, content=body, request=REQUEST)
    assert calls.problem(response) == "http://127.0.0.1:8000/v1/jobs answered 502 Bad Gateway"


def test_an_id_cannot_become_another_path() -> None:
    assert calls.route("jobs", "../models?x") == "/v1/jobs/..%2Fmodels%3Fx"


def test_a_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    items = [{"id": "a", "rows": 10}, {"id": "long id", "rows": None}]
    calls.show_table(items, "id", "rows")
    assert capsys.readouterr().out == "id       rows\na        10\nlong id  -\n"
