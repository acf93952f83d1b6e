"""Keeps services running: starts them in order, restarts the crashed, stops in reverse order."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from service.supervisor import logs
from service.supervisor.problem import FAILURE_STATUS, StartProblem
from service.supervisor.processes import Child, Processes
from service.supervisor.report import say
from service.supervisor.service import Pace, Service


class Keeper:
    """The services of one stack."""

    def __init__(self, processes: Processes, data_dir: Path, pace: Pace) -> None:
        self._processes = processes
        self._data_dir = data_dir
        self._pace = pace
        self._running: dict[str, tuple[Service, Child]] = {}  # in the order of their starts
        self._watches: list[asyncio.Task[None]] = []

    async def start(self, *services: Service) -> None:
        """Start services side by side and return when all are ready; raises StartProblem."""
        for service in services:
            self._running[service.name] = service, self._launch(service)
        try:
            async with asyncio.TaskGroup() as waits:
                for service in services:
                    waits.create_task(self._wait_until_ready(service))
        except* StartProblem as problems:
            first = problems.exceptions[0]
        else:
            self._watch([service for service in services if not service.once])
            return
        raise first

    async def stop(self) -> None:
        """Stop everything, the latest start first."""
        for watch in self._watches:
            watch.cancel()
        for service, child in reversed(self._running.values()):
            await self._processes.stop(child, 0.0 if service.once else service.grace_seconds)
        self._running.clear()

    def kill(self) -> None:
        """End everything at once, for a `stop` that has no more time."""
        for _, child in self._running.values():
            self._processes.kill(child)

    def _launch(self, service: Service) -> Child:
        service.prepare()
        log = logs.log_path(self._data_dir, service.name)
        try:
            return self._processes.start(service.command, service.environment, log, service.inherit)
        except OSError as error:
            raise StartProblem(
                f"cannot start {service.name} ({service.command[0]}): {error.strerror}"
            ) from None

    async def _wait_until_ready(self, service: Service) -> None:
        _, child = self._running[service.name]
        missing: str | None = "it has not ended" if service.once else "it was not asked yet"
        try:
            async with asyncio.timeout(self._pace.start):
                while not child.ended.done():
                    if not service.once and (missing := await service.ready()) is None:
                        return
                    await asyncio.wait([child.ended], timeout=self._pace.look)
        except TimeoutError:
            raise _not_ready(
                service, f"is not ready after {self._pace.start:g} s ({missing})", child
            ) from None
        code = child.ended.result()
        if not service.once:
            raise _not_ready(service, f"{_how_it_ended(code)} before it was ready", child)
        if code != 0:
            raise _not_ready(service, _how_it_ended(code), child)

    def _watch(self, services: list[Service]) -> None:
        self._watches += [asyncio.create_task(self._keep_running(service)) for service in services]

    async def _keep_running(self, service: Service) -> None:
        clock = asyncio.get_running_loop().time
        crashes = 0
        while True:
            started = clock()
            _, child = self._running[service.name]
            code = await self._until_it_ends(child)
            crashes = 1 if clock() - started > self._pace.healthy else crashes + 1
            delay = self._pace.back_off(crashes)
            say(
                f"{service.name} {_how_it_ended(code)}; "
                f"starting it again in {delay:g} s; its log is {child.log}"
            )
            await asyncio.sleep(delay)
            try:
                self._running[service.name] = service, self._launch(service)
            except StartProblem as problem:
                say(str(problem))

    async def _until_it_ends(self, child: Child) -> int:
        while not (await asyncio.wait([child.ended], timeout=self._pace.log_check))[0]:
            logs.shorten(child.log)
        return child.ended.result()


def _not_ready(service: Service, what: str, child: Child) -> StartProblem:
    message = f"{service.name} {what}"
    if lines := child.last_lines():
        message = "\n  ".join([f"{message}; {child.log} ends with:", *lines])
    return StartProblem(message, FAILURE_STATUS)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with status {code}"
    return f"was killed by {signal.Signals(-code).name}"
