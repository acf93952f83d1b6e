"""The Celery application: it wakes the workers, and SQL decides what they do."""

from __future__ import annotations

from celery import Celery

from service.settings import get_settings

TASK = "gradserve.train"
QUEUE = "gradserve"

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
    broker_transport_options={
        "socket_timeout": 5.0,  # above the second that a blocking pop waits
        "socket_connect_timeout": 1.0,
        "health_check_interval": 5,
        "polling_interval": 0.05,
    },
)
