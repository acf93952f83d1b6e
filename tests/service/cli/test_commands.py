"""What the command line says before it does anything, and when it cannot."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from service.supervisor import listener
from tests.service.cli.conftest import run


def test_help_names_every_command() -> None:
    finished = run("--help")
    assert finished.returncode == 0
    for name in ("up", "api", "worker", "migrate", "demo", "verify", "datasets", "jobs", "models"):
        assert f" {name} " in finished.stdout


def test_the_version_is_the_distributions() -> None:
    assert run("--version").stdout == f"gradserve {metadata.version('gradserve')}\n"


def test_an_unknown_command_is_answered_with_a_near_one() -> None:
    finished = run("upp")
    assert finished.returncode == 2
    assert "No such command 'upp'. Did you mean 'up'?" in finished.stderr


def test_an_unknown_flag_is_named() -> None:
    finished = run("up", "--prot", "3")
    assert finished.returncode == 2
    assert "No such option: --prot" in finished.stderr


def test_a_bad_variable_is_named() -> None:
    finished = run("up", GRADSERVE_LEASE_SECONDS="long")
    assert finished.returncode == 2
    assert finished.stderr.startswith("gradserve: GRADSERVE_LEASE_SECONDS='long': ")
    assert finished.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["up", "api", "worker", "migrate"])
def test_a_data_directory_below_a_file_is_refused(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "data"
    finished = run(command, "--data-dir", path)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert finished.stderr == (
        f"gradserve: cannot write to {path}: Not a directory; choose another with --data-dir\n"
    )


@pytest.mark.parametrize("command", ["up", "api"])
def test_a_port_in_use_is_refused(tmp_path: Path, command: str) -> None:
    with listener.listen("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        finished = run(command, "--port", port, "--data-dir", tmp_path)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert finished.stderr == (
        f"gradserve: port {port} is already in use; "
        "stop the other program or choose another with --port\n"
    )


def test_a_flag_wins_over_its_variable_and_an_empty_variable_is_none(tmp_path: Path) -> None:
    variables = {"GRADSERVE_DATA_DIR": str(tmp_path / "a"), "GRADSERVE_DATABASE_URL": ""}
    run("migrate", "--data-dir", tmp_path / "b", **variables)
    assert not (tmp_path / "a").exists()
    assert (tmp_path / "b" / "gradserve.db").exists()


def test_migrate_says_what_it_did(tmp_path: Path) -> None:
    url = f"sqlite+pysqlite:///{tmp_path / 'gradserve.db'}"
    first, second = (run("migrate", "--data-dir", tmp_path) for _ in range(2))
    assert first.stdout == f"{url} was brought to the newest schema\n"
    assert second.stdout == f"{url} already has the newest schema\n"
    assert (first.returncode, second.returncode) == (0, 0)


def test_migrate_does_not_print_the_password_of_a_database_that_is_not_there() -> None:
    finished = run("migrate", "--database-url", "postgresql+psycopg://me:secret@127.0.0.1:1/x")
    assert finished.returncode == 2
    assert "cannot migrate postgresql+psycopg://me:***@127.0.0.1:1/x: " in finished.stderr
    assert "secret" not in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_a_database_url_of_another_form_is_refused() -> None:
    finished = run("migrate", "--database-url", "my database")
    assert finished.returncode == 2
    assert "write it like postgresql+psycopg://user:password@host/name" in finished.stderr


def test_a_service_that_does_not_answer_is_explained() -> None:
    finished = run("jobs", "list", "--url", "http://127.0.0.1:1")
    assert finished.returncode == 1
    assert "no answer from http://127.0.0.1:1" in finished.stderr
    assert "start the service with `gradserve up`" in finished.stderr


def test_an_address_without_http_is_explained() -> None:
    finished = run("jobs", "list", "--url", "localhost")
    assert finished.returncode == 1
    assert "no answer from localhost" in finished.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot read"),
        ("{'epochs': 1}", "is not JSON: "),
        ('{"epochs": NaN}', "is not JSON: NaN is no JSON number"),
    ],
)
def test_a_file_that_is_no_document_is_explained(
    tmp_path: Path, text: str | None, reason: str
) -> None:
    file = tmp_path / "job.json"
    if text is not None:
        file.write_text(text)
    finished = run("jobs", "submit", file)
    assert finished.returncode == 2
    assert reason in finished.stderr
    assert str(file) in finished.stderr
