"""One log file per child under the data directory; the supervisor opens them and keeps them small.

Children write to the file themselves, so that nothing of theirs passes through the supervisor.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MAX_BYTES = 8 * 2**20
_TAIL_BYTES = 16 * 1024


def log_path(data_dir: Path, name: str) -> Path:
    """Where the child of this name logs to; makes the folder."""
    folder = data_dir / "logs"
    folder.mkdir(exist_ok=True)
    return folder / f"{name}.log"


def open_for_append(path: Path) -> int:
    """A descriptor for the child's stdout and stderr."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)


def shorten(path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Move what a large log holds to `<name>.log.1`.

    Copied and truncated rather than renamed, because the child has the file open to append.
    """
    if path.exists() and path.stat().st_size > max_bytes:
        shutil.copyfile(path, path.with_name(f"{path.name}.1"))
        os.truncate(path, 0)


def tail(path: Path, start: int = 0, lines: int = 12) -> list[str]:
    """The last lines that were written from byte `start` on."""
    with path.open("rb") as log:
        size = log.seek(0, os.SEEK_END)
        log.seek(max(start if start <= size else 0, size - _TAIL_BYTES))
        return log.read().decode(errors="replace").splitlines()[-lines:]
