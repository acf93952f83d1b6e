"""The commands that run one process each: they become it, and no launcher stays in memory."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.service.cli.conftest import ROOT, command, run
from tests.waiting import wait_until

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a command on a migrated database of its own."""
    run("migrate", "--data-dir", tmp_path)
    started: list[subprocess.Popen[str]] = []

    def start_command(*arguments: object) -> subprocess.Popen[str]:
        with (tmp_path / "output").open("w") as output:
            started.append(
                subprocess.Popen(
                    command(*arguments, "--data-dir", tmp_path),
                    cwd=ROOT,
                    stdout=output,
                    stderr=output,
                    text=True,
                    start_new_session=True,
                )
            )
        return started[-1]

    yield start_command
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_api_says_where_it_serves_and_ends_in_order(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    api = start("api", "--port", 0)
    prefix = "gradserve: API on "
    output = tmp_path / "output"
    wait_until(lambda: output.read_text().startswith(prefix), 30, "it says its address")
    url = output.read_text().splitlines()[0].removeprefix(prefix)
    assert httpx.get(f"{url}/healthz", timeout=30).status_code == 200
    api.send_signal(number)
    assert api.wait(20) == 0


def test_a_worker_starts_with_the_environment_for_blas(start: Start) -> None:
    worker = psutil.Process(start("worker").pid)
    wait_until(lambda: worker.cmdline()[-2:] == ["-m", "worker"], 30, "it became the worker")
    assert worker.environ()["OPENBLAS_NUM_THREADS"] == "1"
