"""Where the log goes, and how: to standard output, if that can be written to.

A full disk or a reader that has gone away costs lines of the log, never the request or the job that
had something to say. Tracebacks are plain: the usual ones of structlog show local variables, among
them passwords, and take so long that a trainer could lose its lease while it renders one.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO

import structlog


class Forgiving:
    """A stream that drops what cannot be written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or do not."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, or do not."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def configure() -> None:
    """For the main function of a process, before it has anything to say."""
    output: TextIO = Forgiving(sys.stdout)  # type: ignore[assignment]  # all that the logger uses
    usual = structlog.get_config()["processors"][:-1]
    shown = structlog.dev.ConsoleRenderer(
        colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(
        processors=[*usual, shown], logger_factory=structlog.PrintLoggerFactory(output)
    )
