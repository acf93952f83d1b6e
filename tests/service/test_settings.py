"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import Settings


def test_the_defaults_run_on_one_machine():
    settings = Settings(data_dir=Path("/var/lib/gradserve"))
    assert settings.resolved_database_url == "sqlite+pysqlite:////var/lib/gradserve/gradserve.db"
    assert settings.resolved_broker_url == f"redis+socket://{settings.broker_socket}"
    assert settings.host == "127.0.0.1"


def test_the_environment_decides(monkeypatch):
    monkeypatch.setenv("GRADSERVE_PORT", "9000")
    monkeypatch.setenv("GRADSERVE_DATABASE_URL", "postgresql+psycopg://oak/leaves")
    monkeypatch.setenv("GRADSERVE_BROKER_URL", "redis://elm:6379/1")
    settings = Settings()
    assert settings.port == 9000
    assert settings.resolved_database_url == "postgresql+psycopg://oak/leaves"
    assert settings.resolved_broker_url == "redis://elm:6379/1"


def test_the_brokers_socket_is_short_and_the_same_for_each_spelling_of_the_folder(
    tmp_path, monkeypatch
):
    deep = tmp_path / "/".join(["a" * 20] * 8)
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    sockets = {
        Settings(data_dir=path).broker_socket for path in (deep, Path(), Path("../") / deep.name)
    }
    assert len(sockets) == 1
    assert len(str(sockets.pop())) < 100
    assert Settings(data_dir=tmp_path).broker_socket != Settings(data_dir=deep).broker_socket


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "70000"), ("WORKERS", "0"), ("LEASE_SECONDS", "-1"), ("MAX_ATTEMPTS", "oak")],
)
def test_an_impossible_setting_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"GRADSERVE_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_a_worker_beats_several_times_within_a_lease():
    settings = Settings()
    assert settings.heartbeat_seconds * 4 <= settings.lease_seconds
