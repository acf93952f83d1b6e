"""The worker's consumer of messages: while it waits for the broker, it still looks after trainers.

Celery's own does nothing else until it is connected: a trainer that dies meanwhile would not be
replaced, and once all have died a worker without a broker would train nothing at all.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from celery.worker.consumer import Consumer as CeleryConsumer
from celery.worker.state import maybe_shutdown
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

RETRY_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Consumer(CeleryConsumer):  # type: ignore[misc]  # Celery has no types
    """Tries the broker every second, and replaces dead trainers in between."""

    def ensure_connected(self, conn: Any) -> Any:
        """The connection, once the broker answers; ends early when the worker is told to stop."""
        while True:
            try:
                conn.ensure_connection(max_retries=0)
            except (KombuError, RedisError, OSError) as problem:
                _log.warning("the broker is away; trying again", error=str(problem))
            else:
                self.first_connection_attempt = False
                # Messages that were taken and not begun: a sweep rings again. Celery would send
                # them back, and write them to a file where there is nobody to send them to.
                conn.default_channel.do_restore = False
                return conn
            maybe_shutdown()
            self.pool.maintain_pool()
            time.sleep(RETRY_SECONDS)
