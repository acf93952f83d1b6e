"""`gradserve up` in a directory of its own, started for a measurement and stopped after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

STOP_SECONDS = 60
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack; `start_seconds` passed from its command to its ready line."""

    url: str
    pid: int
    start_seconds: float
    data_dir: Path

    @property
    def database_url(self) -> str:
        """Where its rows are."""
        return f"sqlite+pysqlite:///{self.data_dir / 'gradserve.db'}"

    def sizes(self) -> dict[str, int]:
        """Bytes that each process has to itself (USS), by what the process is."""
        top = psutil.Process(self.pid)
        found: dict[str, int] = {}
        for process in (top, *top.children(recursive=True)):
            part = _part(process, found)
            found[part] = process.memory_full_info().uss
        return found


@contextmanager
def running(**settings: str) -> Iterator[Stack]:
    """A stack on a free loopback port without data; `GRADSERVE_...` settings, else the defaults."""
    with tempfile.TemporaryDirectory(prefix="gradserve-bench-") as folder:
        began = time.perf_counter()
        command = [sys.executable, "-m", "service.cli", "up", "--port", "0", "--data-dir", folder]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment() | settings,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for the benchmark, which then stops the stack
        ) as process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                if not line.startswith("ready "):
                    sys.exit("the stack did not start; its reason stands above")
                yield Stack(line.split()[1], process.pid, time.perf_counter() - began, Path(folder))
            finally:
                _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def environment() -> dict[str, str]:
    """This process' environment without settings of the service."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GRADSERVE_")}


_PARTS = {
    "supervisor/guard.py": "guard",
    "service.supervisor": "supervisor",
    "valkey-server": "broker",
    "redis-server": "broker",
    "service.cli.serve": "api",
    "-m worker": "worker",
}


def _part(process: psutil.Process, found: dict[str, int]) -> str:
    line = " ".join(process.cmdline())
    part = next((name for words, name in _PARTS.items() if words in line), process.name())
    taken = sum(name.split()[0] == part for name in found)
    return f"{part} {taken}" if taken else part
