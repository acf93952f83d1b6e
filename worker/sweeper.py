"""Looks in SQL for what a lost message or a dead worker left behind, and rings again."""

from __future__ import annotations

import threading

import structlog
from kombu.exceptions import KombuError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from service.settings import Settings
from service.store.database import Database
from service.store.sweep import sweep
from worker.celery_app import QUEUE, TASK, app

_log = structlog.get_logger(__name__)


class Sweeper(threading.Thread):
    """A thread of the worker's parent process."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="sweeper", daemon=True)
        self._settings = settings
        self._ended = threading.Event()

    def run(self) -> None:
        """Sweep at once, then every `sweep_seconds`, until stopped."""
        database = Database(self._settings.resolved_database_url)
        while not self._ended.is_set():
            self._sweep(database)
            self._ended.wait(self._settings.sweep_seconds)
        database.dispose()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._ended.set()
        self.join(timeout=5)

    def _sweep(self, database: Database) -> None:
        try:
            with database.writing() as session:
                waiting = sweep(session, self._settings.max_attempts)
            if waiting:
                self._ring(min(waiting, self._settings.workers))
        except (SQLAlchemyError, KombuError, RedisError, OSError) as problem:
            _log.warning("sweep failed; the next one tries again", error=str(problem))

    def _ring(self, times: int) -> None:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=0)  # the next sweep is the second try
            queued = connection.default_channel.client.llen(QUEUE)
        # Jobs that wait for a free worker have their messages; ringing for them again at each
        # sweep would only pile messages up.
        for _ in range(max(0, times - queued)):
            app.send_task(TASK, args=["sweep"], queue=QUEUE, retry=False)
