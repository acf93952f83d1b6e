"""`python -m service.supervisor`: what `gradserve up` becomes once it knows every setting."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from service.supervisor import broker, data_dir, listener
from service.supervisor.problem import StartProblem
from service.supervisor.report import say
from service.supervisor.stack import Options, stages
from service.supervisor.supervise import supervise


def main() -> int:
    """Run the stack to its end; returns the exit status."""
    options = _options()
    try:
        return _run(options)
    except StartProblem as problem:
        say(str(problem))
        return problem.status


def _run(options: Options) -> int:
    lock = data_dir.hold(options.data_dir)
    api_socket = listener.listen(options.host, options.port)
    if not listener.is_loopback(options.host):
        say(
            f"warning: there is no authentication, and whoever reaches {options.host} can use "
            "this service; without --host it listens to this machine alone"
        )
    url = listener.url(options.host, api_socket)
    try:
        return asyncio.run(supervise(stages(options, api_socket), url, options.data_dir, lock))
    finally:
        if options.broker_socket is not None:
            broker.remove_socket(options.broker_socket)


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m service.supervisor", allow_abbrev=False)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--data-dir", required=True, type=Path)
    parser.add_argument("--broker-binary")
    parser.add_argument("--broker-socket", type=Path)
    return Options(**vars(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
