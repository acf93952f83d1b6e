"""Directories of the test servers: short, quick, and swept when their session was killed."""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_PREFIX = "gradserve-test-"
_ROOM = 2**30  # bytes that a memory file system must have free
_SETTLED_SECONDS = 60


def short_directory() -> Path:
    """A fresh directory, short enough for a socket, in a folder that any account can reach.

    In memory where there is room: PostgreSQL clones a database by creating 300 files, which some
    disks take a quarter of a second for.
    """
    parent = _parent()
    sweep(parent)
    return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))


def open_log(directory: Path) -> int:
    """Open the server's log for appending, locked: the lock lives as long as the server does."""
    log = os.open(directory / "server.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    fcntl.flock(log, fcntl.LOCK_EX)
    return log


def sweep(parent: Path) -> None:
    """Remove the directories of servers that have ended without anybody to clean up."""
    for log in parent.glob(f"{_PREFIX}*/server.log"):
        with suppress(FileNotFoundError):  # another session sweeps as well
            if time.time() - log.stat().st_mtime > _SETTLED_SECONDS and not _is_locked(log):
                shutil.rmtree(log.parent, ignore_errors=True)


def _parent() -> Path:
    memory = Path("/dev/shm")
    if os.access(memory, os.W_OK):
        system = os.statvfs(memory)
        room = system.f_bavail * system.f_frsize
        if room >= _ROOM and not system.f_flag & os.ST_NOEXEC:  # binaries may be copied there
            return memory
    return Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())


def _is_locked(log: Path) -> bool:
    try:
        with log.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # locked, gone or of somebody else
        return True
    return False
