"""Fixtures of the real servers: one of each per session, an own database per test."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from tests.servers.postgres import PostgresCluster, start_postgres
from tests.servers.process import ServerUnavailableError, free_tcp_port
from tests.servers.redis import RedisServer, start_redis

Server = TypeVar("Server")


@pytest.fixture
def free_port() -> int:
    """A loopback port that nobody listens on."""
    return free_tcp_port()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """The session's PostgreSQL server."""
    cluster = _start_or_fail(start_postgres)
    yield cluster
    cluster.process.stop()


@pytest.fixture(scope="session")
def migrated_template(postgres_cluster: PostgresCluster) -> str:
    """The name of a database with every table and no row, to be cloned."""
    from service.store.migrate import upgrade

    return postgres_cluster.make_template(upgrade)


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster, migrated_template: str) -> Iterator[str]:
    """The URL of a migrated database of this test's own."""
    name = postgres_cluster.create_database(migrated_template)
    yield postgres_cluster.url(name)
    postgres_cluster.drop_database(name)


@pytest.fixture
def empty_postgres_url(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """The URL of a database of this test's own without any table."""
    name = postgres_cluster.create_database()
    yield postgres_cluster.url(name)
    postgres_cluster.drop_database(name)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The session's Redis-protocol server."""
    server = _start_or_fail(start_redis)
    yield server
    server.process.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of a Redis-protocol server without keys."""
    redis_server.flush()
    return redis_server.url


def _start_or_fail(start: Callable[[], Server]) -> Server:
    reason = ""
    for _ in range(3):  # somebody else may take the port between its choice and its use
        try:
            return start()
        except ServerUnavailableError as error:
            reason = str(error)
    pytest.fail(reason, pytrace=False)
