"""Rings for the workers. SQL owns the jobs: a ring that is lost costs time and nothing else."""

from __future__ import annotations

import structlog
from celery import Celery
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from service.store.outage import Outage, StillAwayError

TASK = "gradserve.train"
QUEUE = "gradserve"
# A broker that accepts and then says nothing must not hold a request or a sweep for long.
TIMEOUT_SECONDS = 1.0

_log = structlog.get_logger(__name__)


def transport_options() -> dict[str, float | bool]:
    """Options of the Redis transport: one try, since the next sweep is the second one."""
    return {
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "retry_on_timeout": False,
        "max_retries": 0,
    }


class Bell:
    """The sending side of the broker."""

    def __init__(self, broker_url: str) -> None:
        self._outage = Outage()
        self._celery = Celery(broker=broker_url, set_as_current=False)
        self._celery.conf.update(
            broker_transport_options=transport_options(), task_ignore_result=True
        )

    def ring(self, job_id: str) -> bool:
        """Say that the job waits; False if the broker could not be told."""
        try:
            with self._outage.trying():
                self._celery.send_task(
                    TASK, args=[job_id], queue=QUEUE, ignore_result=True, retry=False
                )
        except (KombuError, RedisError, OSError, StillAwayError) as problem:
            _log.warning("broker not reached; a sweep rings again", error=str(problem))
            return False
        return True

    def answers(self) -> bool:
        """Whether the broker can be reached."""
        try:
            with self._celery.connection_for_write() as connection:
                connection.default_channel.client.ping()
        except (KombuError, RedisError, OSError):
            return False
        return True

    def close(self) -> None:
        """Close the connections."""
        self._celery.close()
