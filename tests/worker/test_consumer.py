"""Messages that are taken, on a broker that dies meanwhile."""

from __future__ import annotations

import pytest
from kombu import Consumer

from tests.servers.redis import start_redis
from worker.celery_app import QUEUE, app


@pytest.fixture
def mortal():
    """A broker of this test's own."""
    server = start_redis()
    yield server
    server.process.stop()


def test_a_message_taken_as_the_broker_dies_does_not_count_as_taken_for_ever(mortal):
    taken = []
    queue = app.amqp.queues[QUEUE]
    with app.connection_for_read(url=mortal.url) as connection:
        consumer = Consumer(connection, [queue], on_message=taken.append, accept=["json"])
        consumer.qos(prefetch_count=1)
        app.send_task("gradserve.train", args=["job"], queue=QUEUE, connection=connection)
        with consumer:
            connection.drain_events(timeout=60)
            assert not consumer.channel.qos.can_consume()
            mortal.process.kill()
            taken[0].ack()
            assert consumer.channel.qos.can_consume()
