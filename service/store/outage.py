"""A server that is away: one caller at a time finds out whether it is back.

The others are told at once. Each of them would otherwise wait for a time-out of its own, and hold a
thread meanwhile that requests which need no such server could have had.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class StillAwayError(Exception):
    """The server was away a moment ago, and somebody else is trying it."""


class Outage:
    """What is known of a server; shared by all who call it."""

    def __init__(self) -> None:
        self._away = False
        self._trying = threading.Lock()

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Around a call of the server, whose exception says that it is away.

        Raises:
            StillAwayError: instead of a call, while another finds out.
        """
        alone = self._away
        if alone and not self._trying.acquire(blocking=False):
            raise StillAwayError("the server is away; it is being tried")
        try:
            yield
        except BaseException:
            self._away = True
            raise
        else:
            self._away = False
        finally:
            if alone:
                self._trying.release()
