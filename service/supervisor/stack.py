"""The embedded stack's services: broker and migration, then worker and API."""

from __future__ import annotations

import os
import socket
import sys
import sysconfig
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from service.cpu import launch_environment
from service.supervisor import listener
from service.supervisor.broker import broker_service
from service.supervisor.probes import http_ready, worker_waits
from service.supervisor.service import Service, running_is_enough
from service.supervisor.supervise import Stage

PACKAGES = Path(__file__).parents[2]


@dataclass(frozen=True)
class Options:
    """What `gradserve up` was asked for, with every default filled in."""

    host: str
    port: int
    data_dir: Path
    broker_binary: str | None = None  # None: the environment names a broker that runs elsewhere
    broker_socket: Path | None = None


def stages(options: Options, api_socket: socket.socket) -> list[Stage]:
    """The services in the order of their start; raises StartProblem."""
    environment = child_environment(options, api_socket)
    first: list[Service] = []
    if options.broker_binary is not None and options.broker_socket is not None:
        first.append(
            broker_service(
                options.broker_binary, options.broker_socket, options.data_dir, environment
            )
        )
    first.append(
        Service("migrate", python("service.cli", "migrate"), environment, once=True),
    )
    return [
        tuple(first),
        (_worker(options, environment), _api(environment, api_socket)),
    ]


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """A module as a program; files in the current directory cannot stand in for its imports."""
    return sys.executable, "-P", "-m", module, *arguments


def import_environment() -> dict[str, str]:
    """What lets `python` above find our packages when they run from a checkout."""
    environment = launch_environment()
    if Path(sysconfig.get_path("purelib")) != PACKAGES:
        path = [str(PACKAGES), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    return environment


def child_environment(options: Options, api_socket: socket.socket) -> dict[str, str]:
    """The environment of every service, with the settings that the supervisor decided."""
    environment = import_environment() | {
        "GRADSERVE_DATA_DIR": str(options.data_dir),
        "GRADSERVE_HOST": options.host,
        "GRADSERVE_PORT": str(api_socket.getsockname()[1]),
        "PYTHONUNBUFFERED": "1",  # a crash must not take the last lines of its log with it
    }
    if options.broker_socket is not None:
        environment["GRADSERVE_BROKER_URL"] = f"redis+socket://{options.broker_socket}"
    return environment


def _worker(options: Options, environment: dict[str, str]) -> Service:
    ready = running_is_enough
    if options.broker_socket is not None:  # only the broker knows, and only ours can be asked
        ready = partial(worker_waits, options.broker_socket)
    return Service("worker", python("worker"), environment, ready=ready)


def _api(environment: dict[str, str], api_socket: socket.socket) -> Service:
    host, port = listener.reachable(api_socket)
    return Service(
        name="api",
        command=python("service.cli.serve", "--fd", str(api_socket.fileno())),
        environment=environment,
        ready=partial(http_ready, host, port),
        inherit=(api_socket.fileno(),),
    )
