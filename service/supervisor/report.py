"""What the supervisor says: events as lines on stderr, and the ready line alone on stdout."""

from __future__ import annotations

import contextlib
import sys


def say(message: str) -> None:
    """One event for the terminal; a terminal that has gone away must not stop the stack."""
    with contextlib.suppress(OSError, ValueError):
        print(f"gradserve: {message}", file=sys.stderr, flush=True)


def say_ready(url: str) -> None:
    """The line that scripts wait for."""
    with contextlib.suppress(OSError, ValueError):
        print(f"ready {url}", flush=True)
