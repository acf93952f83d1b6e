"""One run of a stack, from its first start to its orderly stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from service.supervisor.guarding import Guard
from service.supervisor.keeper import Keeper
from service.supervisor.problem import StartProblem
from service.supervisor.processes import Processes
from service.supervisor.report import say, say_ready
from service.supervisor.service import Pace, Service

Stage = tuple[Service, ...]  # services that start side by side


async def supervise(
    stages: Sequence[Stage], url: str, data_dir: Path, lock: int, pace: Pace | None = None
) -> int:
    """Run the stages until SIGTERM, SIGINT or SIGHUP; returns the exit status.

    `lock` is the descriptor that holds the data directory: nobody else gets it before the last
    process of this stack has ended, whatever happens to the supervisor.
    """
    processes = Processes(Guard(keep_open=[lock]))
    keeper = Keeper(processes, data_dir, pace or Pace())
    asked_to_stop = _on_signals(keeper)
    start = asyncio.create_task(_start(keeper, stages, url))
    try:
        return await _run(start, asked_to_stop)
    finally:
        start.cancel()
        await keeper.stop()
        processes.close()


async def _start(keeper: Keeper, stages: Sequence[Stage], url: str) -> None:
    for stage in stages:
        await keeper.start(*stage)
    say_ready(url)


async def _run(start: asyncio.Task[None], asked_to_stop: asyncio.Event) -> int:
    stop = asyncio.create_task(asked_to_stop.wait())
    await asyncio.wait([start, stop], return_when=asyncio.FIRST_COMPLETED)
    if start.done() and (problem := start.exception()) is not None:
        stop.cancel()
        if not isinstance(problem, StartProblem):
            raise problem
        say(str(problem))
        return problem.status
    await stop
    say("stopping; a second signal stops at once")
    return 0


def _on_signals(keeper: Keeper) -> asyncio.Event:
    """An event that the first signal sets; a second one cuts the orderly stop short."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    def stop() -> None:
        if asked.is_set():
            keeper.kill()
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            loop.add_signal_handler(number, stop)
    return asked
