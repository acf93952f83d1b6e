"""The Celery application: it wakes the workers, and SQL decides what they do."""

from __future__ import annotations

import structlog
from celery import Celery
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from service.settings import get_settings

TASK = "gradserve.train"
QUEUE = "gradserve"

_log = structlog.get_logger(__name__)

settings = get_settings()

app = Celery("gradserve", broker=settings.resolved_broker_url, include=["worker.tasks"])
app.conf.update(
    task_default_queue=QUEUE,
    task_ignore_result=True,
    task_acks_late=False,  # a message is only a ring: losing or repeating it does no harm
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_consumer="worker.consumer:Consumer",
    worker_pool="worker.pool:TaskPool",
    broker_transport_options={
        "socket_timeout": 5.0,  # above the second that a blocking pop waits
        "socket_connect_timeout": 1.0,
        "health_check_interval": 5,
        "polling_interval": 0.05,
        # Noting in the broker what is not acknowledged yet would serve to repeat it, which SQL does
        # better. And a note that fails as the broker dies counts as taken for ever: a worker that
        # has so many asks for no more, and never sees that its connection is lost.
        "ack_emulation": False,
    },
)


def ring(job_id: str) -> None:
    """Send a message, if the broker can be reached; who looks in SQL finds the job without it."""
    try:
        app.send_task(TASK, args=[job_id], queue=QUEUE, retry=False)
    except (KombuError, RedisError, OSError) as problem:
        _log.warning("broker not reached; a sweep rings again", error=str(problem))
