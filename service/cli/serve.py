"""The API process: `python -m service.cli.serve`, settings from the environment.

uvicorn's own command cannot be used: given a descriptor it takes it for a unix socket, and then
leaves Nagle's delay on every TCP connection.
"""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from types import FrameType

import uvicorn

from service import log
from service.settings import get_settings
from service.shutdown import stopping
from service.supervisor.listener import listen, url
from service.supervisor.problem import StartProblem
from service.supervisor.report import say

DRAIN_SECONDS = 5  # for answers that are under way, and event streams that would never end


def main() -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m service.cli.serve", allow_abbrev=False)
    parser.add_argument("--fd", type=int, help="a listening socket to serve on")
    descriptor: int | None = parser.parse_args().fd
    settings = get_settings()
    log.configure()
    try:
        if descriptor is None:
            listener = listen(settings.host, settings.port)
        else:
            listener = socket.socket(fileno=descriptor)
    except StartProblem as problem:
        say(str(problem))
        return problem.status
    say(f"API on {url(settings.host, listener)}")
    _serve(listener, settings.log_level.lower())
    return 0


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Tell the event streams to end, which would otherwise be waited for."""
        stopping.set()
        super().handle_exit(sig, frame)


def _serve(listener: socket.socket, log_level: str) -> None:
    config = uvicorn.Config(
        "service.app:create_app",
        factory=True,
        access_log=False,
        log_level=log_level,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    # Having drained, uvicorn raises the signal again; then it is an orderly end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    _Server(config).run(sockets=[listener])


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
