"""The `gradserve` command as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
Finished = subprocess.CompletedProcess[str]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "service.cli", *map(str, arguments)]


def run(*arguments: object, **variables: str) -> Finished:
    """Run the command to its end; variables are added to the environment."""
    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env={**os.environ, "TERM": "dumb", "COLUMNS": "200", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Up:
    """A running `gradserve up` on a port of its own."""

    def __init__(self, data_dir: Path, *arguments: object) -> None:
        self.data_dir = data_dir
        self.popen = subprocess.Popen(
            command("up", "--port", 0, "--data-dir", data_dir, *arguments),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.popen.stdout is not None
        self.ready_line = self.popen.stdout.readline()

    @property
    def url(self) -> str:
        return self.ready_line.split()[1]

    def checked(self) -> Up:
        """Itself, if it is ready."""
        assert self.ready_line.startswith("ready http"), self.stop()
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """The exit status, and what was printed after the ready line."""
        self.popen.send_signal(number)
        stdout, stderr = self.popen.communicate(timeout=60)
        return self.popen.returncode, stdout, stderr


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """Start `gradserve up` with further arguments, and wait for its ready line."""
    with _stopped_at_the_end() as started:

        def start(*arguments: object) -> Up:
            started.append(Up(tmp_path / "data", *arguments))
            return started[-1].checked()

        yield start


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One stack for all tests of a module that leave it running."""
    with _stopped_at_the_end() as started:
        started.append(Up(tmp_path_factory.mktemp("stack") / "data"))
        yield started[-1].checked()


@contextmanager
def _stopped_at_the_end() -> Iterator[list[Up]]:
    started: list[Up] = []
    try:
        yield started
    finally:
        for stack in started:
            if stack.popen.poll() is None:
                stack.stop()
