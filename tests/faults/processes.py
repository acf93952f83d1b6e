"""Processes that are started again whenever they end, as compose's restart policy would."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from service.supervisor.death_pact import death_pact

LOOK_SECONDS = 0.05
BACK_OFF_SECONDS = 0.2
STOP_SECONDS = 20.0


class Kept:
    """One process that is kept running until `stop`; it dies with the thread that keeps it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._log = log
        self._wanted = True
        self._started = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name=f"keeps {log.stem}", daemon=True)
        self._thread.start()
        self._started.wait()

    @property
    def process(self) -> psutil.Process | None:
        """The process that runs at this moment, if one does."""
        return alive(self._process.pid) if self._process is not None else None

    def stop(self) -> None:
        """End it in order, and by force if that takes too long."""
        self._wanted = False
        if self._process is not None:
            stop(self._process)
        self._thread.join()

    def _keep(self) -> None:
        while self._wanted:
            self._process = launch(self._command, self._environment, self._log)
            self._started.set()
            while self._process.poll() is None:
                time.sleep(LOOK_SECONDS)
            if self._wanted:
                time.sleep(BACK_OFF_SECONDS)


def launch(
    command: Sequence[str], environment: Mapping[str, str], log: Path, output: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a process that leads a group and is killed when the calling thread ends."""
    with log.open("ab") as errors:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=errors if output is None else output,
            stderr=errors,
            start_new_session=True,
            preexec_fn=death_pact(signal.SIGKILL),  # noqa: PLW1509 - it takes no lock
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it has forked; a stopped (SIGSTOP) one goes on first."""
    family = family_of(process.pid)
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.resume()
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
    for member in psutil.wait_procs(family, timeout=2)[1]:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()


def alive(pid: int) -> psutil.Process | None:
    """The process, unless it has ended; a zombie has."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


def family_of(pid: int) -> list[psutil.Process]:
    """A process and all that descends from it."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def among(
    processes: Sequence[psutil.Process], fits: Callable[[list[str]], bool]
) -> list[psutil.Process]:
    """Those whose command line fits."""
    found = []
    for process in processes:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.status() != psutil.STATUS_ZOMBIE and fits(process.cmdline()):
                found.append(process)
    return found
