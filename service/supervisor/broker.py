"""The embedded broker: a Valkey or Redis server on a unix socket, its log of changes on disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from service.supervisor.probes import broker_answers
from service.supervisor.problem import StartProblem
from service.supervisor.service import Service


def broker_service(
    binary: str, socket: Path, data_dir: Path, environment: Mapping[str, str]
) -> Service:
    """The server as a service; raises StartProblem when its socket's folder is not ours."""
    folder = data_dir / "broker"
    folder.mkdir(exist_ok=True)
    _own_folder(socket.parent)
    return Service(
        name="broker",
        command=(binary, *_options(socket, folder)),
        environment=environment,
        ready=partial(broker_answers, socket),
        prepare=partial(socket.unlink, missing_ok=True),
        grace_seconds=5.0,
    )


def remove_socket(socket: Path) -> None:
    """Leave nothing in the temporary directory once the server has ended."""
    try:
        socket.unlink(missing_ok=True)
        socket.parent.rmdir()
    except OSError:
        return  # somebody else's file is in there, or a cleaner was faster


def _options(socket: Path, folder: Path) -> list[str]:
    options = {
        "port": "0",  # no TCP
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",  # the append-only file is enough
        "daemonize": "no",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _own_folder(folder: Path) -> None:
    """Make the folder for us alone; a folder that another user planted is refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise StartProblem(f"{folder} belongs to another user; remove it or set TMPDIR elsewhere")
    folder.chmod(0o700)
