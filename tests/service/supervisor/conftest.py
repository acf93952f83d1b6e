"""Stacks of stand-in programs under the real supervisor, as real processes."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.waiting import wait_until

PROGRAM = Path(__file__).with_name("stand_in_stack.py")
ROOT = Path(__file__).parents[3]


def _hear_hangups() -> None:
    """Under nohup the tests themselves ignore SIGHUP, and a stack would inherit that."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Stack:
    """A supervisor process and what it started."""

    def __init__(self, folder: Path, start_seconds: float, stages: tuple[dict[str, Any], ...]):
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        self.stderr_file = folder.parent / f"{folder.name}.stderr"
        with self.stderr_file.open("w") as stderr:
            self.popen = subprocess.Popen(
                [
                    sys.executable,
                    str(PROGRAM),
                    str(folder),
                    str(start_seconds),
                    *map(json.dumps, stages),
                ],
                stdout=subprocess.PIPE,
                stderr=stderr,
                preexec_fn=_hear_hangups,  # noqa: PLW1509 - it takes no lock
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                start_new_session=True,
            )

    @property
    def stderr(self) -> str:
        return self.stderr_file.read_text()

    def log(self, name: str) -> str:
        return (self.folder / "logs" / f"{name}.log").read_text()

    def wait_for_ready(self) -> None:
        assert self.popen.stdout is not None
        assert self.popen.stdout.readline() == "ready http://stand-in\n", self.stderr

    def processes(self) -> list[psutil.Process]:
        """The supervisor's children and theirs."""
        return psutil.Process(self.popen.pid).children(recursive=True)

    def process(self, name: str) -> psutil.Process:
        """The leader of a service: it printed its number when it started."""
        return psutil.Process(int(self.log(name).splitlines()[-1]))

    def send(self, number: signal.Signals) -> None:
        self.popen.send_signal(number)

    def status(self) -> int:
        return self.popen.wait(timeout=60)


Start = Callable[..., Stack]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a stack: `start({name: {...}}, ..., start_seconds=20)`, one mapping for each stage."""
    stacks: list[Stack] = []

    def start_stack(*stages: dict[str, Any], start_seconds: float = 20.0) -> Stack:
        stacks.append(Stack(tmp_path / "data", start_seconds, stages))
        return stacks[-1]

    yield start_stack
    for stack in stacks:
        stack.send(signal.SIGKILL)
        stack.popen.communicate()
    wait_until(lambda: _lock_is_free(tmp_path / "data"), 30, "the guard ends")


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs; one that only waits to be reaped by init does not."""
    return not any(map(_runs, processes))


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _lock_is_free(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / "up.lock", os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
