"""Child processes that cannot outlive the supervisor.

Every child leads a session and process group of its own: Ctrl-C in the terminal reaches the
supervisor alone, and a signal to the group reaches the child's own children. Everything here
happens in the main thread, because the parent-death signal follows the thread that forked.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from service.supervisor import logs
from service.supervisor.death_pact import death_pact
from service.supervisor.guarding import Guard


class Child:
    """One running process; `ended` holds its exit code once it is over."""

    def __init__(self, popen: subprocess.Popen[bytes], log: Path, log_start: int) -> None:
        self.popen = popen
        self.log = log
        self.log_start = log_start
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int:
        """The process, and the group that it leads."""
        return self.popen.pid

    def last_lines(self) -> list[str]:
        """What this process logged last."""
        return logs.tail(self.log, self.log_start)


class Processes:
    """Starts children, notices their end, and tells the guard of both."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._children: dict[int, Child] = {}
        self._die_with_parent = death_pact(signal.SIGKILL)
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)

    def start(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        inherit: Sequence[int] = (),
    ) -> Child:
        """Start a program that logs to `log`; raises OSError when there is no such program."""
        logs.shorten(log)
        output = logs.open_for_append(log)
        try:
            start = os.fstat(output).st_size
            popen = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=inherit,
                preexec_fn=self._die_with_parent,  # noqa: PLW1509 - there is one thread
            )
        finally:
            os.close(output)
        child = self._children[popen.pid] = Child(popen, log, start)
        self._guard.add(child.pid)
        return child

    async def stop(self, child: Child, grace_seconds: float) -> None:
        """Ask the child to end, and kill its whole group after the grace period."""
        if not child.ended.done():
            child.popen.terminate()
            await asyncio.wait([child.ended], timeout=grace_seconds)
        self.kill(child)
        await child.ended

    def kill(self, child: Child) -> None:
        """Kill the child's group, unless it has ended and somebody else may have its number."""
        if not child.ended.done():
            _kill_group(child.pid)

    def close(self) -> None:
        """Let the guard go; for when every child has ended."""
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)
        self._guard.close()

    def _reap(self) -> None:
        for child in list(self._children.values()):
            code = child.popen.poll()
            if code is not None:
                _kill_group(child.pid)  # what it left behind
                del self._children[child.pid]
                self._guard.remove(child.pid)
                child.ended.set_result(code)
        self._guard.replace_if_ended()


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies are left
        os.killpg(leader, signal.SIGKILL)
