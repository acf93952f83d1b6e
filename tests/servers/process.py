"""A server process that does not outlive the process that started it."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.servers.directories import open_log
from tests.waiting import wait_until

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)  # loaded here: nothing may be loaded after a fork


class ServerUnavailableError(Exception):
    """A server that the tests need cannot be had; the message says what to do about it."""


@dataclass(frozen=True)
class Account:
    """The system account that a server runs as; the tests' own if `name` is None."""

    name: str | None = None

    def run(self, command: Sequence[str | Path], directory: Path) -> None:
        """Run `command` to its end; CalledProcessError carries its output."""
        subprocess.run(
            command,
            cwd=directory,
            **self.options,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def options(self) -> dict[str, Any]:
        """What makes subprocess change to the account."""
        if self.name is None:
            return {}
        return {"user": self.name, "group": pwd.getpwnam(self.name).pw_gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give `path` to the account."""
        if self.name is not None:
            shutil.chown(path, self.name, pwd.getpwnam(self.name).pw_gid)


class ServerProcess:
    """A running server with its own short directory, which goes when the server is stopped.

    The kernel sends `stop_signal` to the server when its parent dies, so that not even a killed
    test session leaves one behind.
    """

    def __init__(
        self, command: Sequence[str | Path], directory: Path, account: Account, stop_signal: int
    ) -> None:
        self.directory = directory
        self.stop_signal = stop_signal
        self._log = directory / "server.log"
        self._command = command
        self._account = account
        self._held: int | None = None  # the log of a killed server
        self._process = self._launch()

    def _launch(self) -> subprocess.Popen[bytes]:
        log = open_log(self.directory)
        try:
            return subprocess.Popen(
                self._command,
                cwd=self.directory,
                **self._account.options,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent(self.stop_signal),  # noqa: PLW1509 - it takes no lock
            )
        finally:
            os.close(log)

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return self._log.read_text(errors="replace")

    def wait_until_ready(self, ready: Callable[[], bool], deadline_seconds: float = 30) -> None:
        """Wait for `ready()`; ServerUnavailableError with the log if the server ends before."""

        def ready_or_ended() -> bool:
            if self._process.poll() is not None:
                raise ServerUnavailableError(f"{self._process.args!r} ended:\n{self.log}")
            return ready()

        wait_until(ready_or_ended, deadline_seconds, f"{self._process.args!r} is ready")

    def kill(self) -> None:
        """Kill the server and what it has forked, as a crash would; its directory stays."""
        os.utime(self._log)  # or another session could sweep the directory meanwhile
        family = [psutil.Process(self.pid), *psutil.Process(self.pid).children(recursive=True)]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        self._process.wait()
        psutil.wait_procs(family, timeout=10)
        self._held = open_log(self.directory)

    def start_again(self) -> None:
        """Start a killed server on the directory that it left; `wait_until_ready` waits for it."""
        self._let_go()
        self._process = self._launch()

    def _let_go(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def stop(self) -> None:
        """End the server, by force after ten seconds, and remove its directory."""
        self._let_go()
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def free_tcp_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _die_with_parent(stop_signal: int) -> Callable[[], None]:
    parent = os.getpid()

    def prepare() -> None:
        if sys.platform == "linux":
            _libc.prctl(_PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != parent:  # it died before the line above
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare
