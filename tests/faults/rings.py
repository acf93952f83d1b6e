"""The broker as a campaign sees it: who takes messages from it, and what lies in it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import redis

from service.broker import QUEUE
from service.settings import Settings
from tests.faults.stack import Stack
from tests.waiting import wait_until

RECOVERY_SECONDS = 60.0  # within which a link that broke must be whole again
# For campaigns in which no job is to change hands, however busy the machine is.
LONG_LEASE = {"GRADSERVE_LEASE_SECONDS": "30"}


def socket_of(data_dir: Path) -> Path:
    """Where the broker of `gradserve up` listens."""
    return Settings(data_dir=data_dir).broker_socket


def client(stack: Stack) -> redis.Redis:
    """A connection of our own to the broker, past every proxy."""
    if stack.broker_url:
        return redis.Redis.from_url(stack.broker_url, socket_timeout=5)
    return redis.Redis(unix_socket_path=str(socket_of(stack.data_dir)), socket_timeout=5)


def queued(stack: Stack) -> int:
    """How many messages nobody has taken."""
    with client(stack) as broker:
        return int(broker.llen(QUEUE))


def all_listen(stack: Stack) -> bool:
    """Whether every worker asks the broker for messages."""
    with suppress(redis.RedisError), client(stack) as broker:
        asking = [each for each in broker.client_list() if _asks(each)]
        workers = stack.workers()
        return bool(workers) and len(asking) >= len(workers)
    return False


def wait_for_listeners(stack: Stack) -> None:
    """Wait until messages are taken by every worker."""
    wait_until(lambda: all_listen(stack), RECOVERY_SECONDS, "every worker takes messages", 0.1)


def _asks(other: dict[str, str]) -> bool:
    # Between two questions it is not blocked for a moment; a dead connection asks no more.
    return other["cmd"] == "brpop" and ("b" in other["flags"] or other["idle"] == "0")
