"""Looks in SQL for jobs that nobody rang for, from a thread of an idle trainer.

With a broker that works there is hardly ever one. With a broker that is silent this is how jobs are
found, at most `poll_seconds` late.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

_log = structlog.get_logger(__name__)


class Poller(threading.Thread):
    """Calls `look` at once and every so many seconds, and again as long as it found something."""

    def __init__(self, look: Callable[[], bool], every_seconds: float) -> None:
        super().__init__(name="poller", daemon=True)
        self._look = look
        self._every = every_seconds
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until stopped."""
        while not self._ended.is_set():
            try:
                while not self._ended.is_set() and self._look():
                    pass
            except SQLAlchemyError as problem:
                _log.warning("looking for jobs failed; trying again", error=str(problem))
            except Exception:  # whatever it is, the next look may go better
                _log.warning("looking for jobs failed; the next look tries again", exc_info=True)
            self._ended.wait(self._every)

    def stop(self) -> None:
        """End the thread, and wait for the job that it may be in."""
        self._ended.set()
        self.join()
