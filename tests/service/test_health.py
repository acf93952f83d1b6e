"""Alive, and able to serve."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from tests.service.databases import url_of
from tests.service.problem import problem_of


def test_a_process_that_answers_is_alive(client):
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


def test_it_is_ready_with_its_database_and_its_broker(settings, redis_url, monkeypatch):
    monkeypatch.setattr("service.broker.TIMEOUT_SECONDS", 30)
    settings = settings.model_copy(update={"broker_url": redis_url})
    with TestClient(create_app(settings)) as client:
        response = client.get("/readyz")
    assert response.json() == {"status": "ready", "checks": {"database": "ok", "broker": "ok"}}


def test_without_a_broker_it_serves_and_says_so(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "degraded",
        "checks": {
            "database": "ok",
            "broker": "does not answer; jobs are accepted and wait for it",
        },
    }


@pytest.fixture
def without_database(tmp_path, settings):
    """Make an application whose SQLite file is given."""

    def make(name):
        return create_app(settings.model_copy(update={"database_url": url_of(tmp_path / name)}))

    return make


def test_a_database_without_tables_is_no_service(without_database):
    with TestClient(without_database("empty.db")) as client:
        body = problem_of(client.get("/readyz"), 503, "unavailable")
    assert body["detail"] == ("Not ready: the database has an old schema; run `gradserve migrate`.")


def test_a_database_that_cannot_be_opened_is_no_service(without_database):
    with TestClient(without_database("no/such/folder.db")) as client:
        response = client.get("/readyz")
        body = problem_of(response, 503, "unavailable")
        assert body["detail"] == "Not ready: the database does not answer."
        assert client.get("/healthz").status_code == 200


def test_a_schema_of_another_version_is_no_service(client, stored):
    with stored.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    problem_of(client.get("/readyz"), 503, "unavailable")


def test_a_postgresql_that_is_gone_is_no_service(free_port):
    url = f"postgresql+psycopg://oak@127.0.0.1:{free_port}/oak"
    settings = Settings(database_url=url, broker_url=f"redis://127.0.0.1:{free_port}/0")
    with TestClient(create_app(settings)) as client:
        body = problem_of(client.get("/readyz"), 503, "unavailable")
    assert body["detail"] == "Not ready: the database does not answer."
