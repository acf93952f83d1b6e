"""The data directory: made, proven writable, and held by one stack at a time."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from service.supervisor.problem import StartProblem

LOCK_NAME = "up.lock"
# A stack whose supervisor was killed ends its processes within this time and lets go of the lock.
TAKEOVER_SECONDS = 10.0
_RETRY_SECONDS = 0.05


def hold(path: Path) -> int:
    """Make the directory and lock it; returns the descriptor that keeps the lock while it is open.

    Raises StartProblem when it cannot be written to or when another stack runs on it.
    """
    descriptor = _open_lock(path)
    if not _lock(descriptor):
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        os.close(descriptor)
        process = f" (process {holder})" if holder else ""
        raise StartProblem(
            f"another `gradserve up`{process} is running on {path}; "
            "stop it or choose another directory with --data-dir"
        )
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def make(path: Path) -> None:
    """Make the directory where it is missing; raises StartProblem when that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise _unwritable(path, "it is a file, not a directory") from None
    except OSError as error:
        raise _unwritable(path, error.strerror) from None


def _open_lock(path: Path) -> int:
    make(path)
    try:
        return os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(path, error.strerror) from None


def _unwritable(path: Path, reason: str | None) -> StartProblem:
    return StartProblem(f"cannot write to {path}: {reason}; choose another with --data-dir")


def _lock(descriptor: int) -> bool:
    """Take the lock; waits only for one whose owner is dead, so that a running stack is told of."""
    deadline = time.monotonic() + TAKEOVER_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if _owner_lives(descriptor) or time.monotonic() > deadline:
                return False
            time.sleep(_RETRY_SECONDS)


def _owner_lives(descriptor: int) -> bool:
    try:
        os.kill(int(os.pread(descriptor, 32, 0)), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
