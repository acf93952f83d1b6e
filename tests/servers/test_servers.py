import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from sqlalchemy import create_engine, text

from tests.servers.directories import sweep
from tests.servers.postgres import PostgresCluster, find_postgres_binaries
from tests.servers.process import ServerUnavailableError
from tests.servers.redis import RedisServer, find_redis_binary
from tests.waiting import wait_until

START_AND_IDLE = """
import sys
from tests.servers.{module} import start_{module}
process = start_{module}().process
print(process.pid, process.directory, flush=True)
sys.stdin.read()
"""


def is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def tables_of(url: str) -> set[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        tables = set(rows.scalars())
    engine.dispose()
    return tables


def test_an_empty_database_has_no_tables(empty_postgres_url: str) -> None:
    assert tables_of(empty_postgres_url) == set()


def test_a_migrated_database_has_every_table(postgres_url: str) -> None:
    assert "alembic_version" in tables_of(postgres_url)


def test_what_is_written_to_a_clone_stays_in_it(postgres_cluster: PostgresCluster) -> None:
    def migrate(url: str) -> None:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE TABLE leaf (name text)")

    template = postgres_cluster.make_template(migrate)
    first, second = (postgres_cluster.create_database(template) for _ in range(2))
    with psycopg.connect(postgres_cluster.url(first).replace("+psycopg", "")) as connection:
        connection.execute("INSERT INTO leaf VALUES ('oak')")
    with psycopg.connect(postgres_cluster.url(second).replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM leaf").fetchone() == (0,)
    for name in (first, second, template):
        postgres_cluster.drop_database(name)


def test_redis_answers_over_tcp_and_over_its_socket(
    redis_url: str, redis_server: RedisServer
) -> None:
    with redis.Redis.from_url(redis_url) as over_tcp:
        over_tcp.set("leaf", "oak")
    with redis.Redis.from_url(redis_server.socket_url) as over_socket:
        assert over_socket.get("leaf") == b"oak"


def test_redis_is_flushed_for_each_test(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.keys() == []


@pytest.mark.parametrize("module", ["postgres", "redis"])
def test_a_killed_session_leaves_no_server(module: str) -> None:
    session = subprocess.Popen(
        [sys.executable, "-c", START_AND_IDLE.format(module=module)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with session:
        assert session.stdout is not None
        pid, directory = session.stdout.readline().split()
        family = [
            int(pid),
            *(child.pid for child in psutil.Process(int(pid)).children(recursive=True)),
        ]
        session.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, family)), 30, "the server is gone")
    os.utime(f"{directory}/server.log", (0, 0))  # long ago

    def is_swept() -> bool:
        sweep(Path(directory).parent)
        return not Path(directory).exists()

    # The last thread of the server may hold the lock a moment longer than its process is seen.
    wait_until(is_swept, 30, "the directory is swept")


def test_a_running_server_keeps_its_directory(redis_server: RedisServer) -> None:
    directory = redis_server.process.directory
    os.utime(directory / "server.log", (0, 0))
    sweep(directory.parent)
    assert directory.exists()


def test_a_missing_binary_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_PG_BIN", "/nowhere")
    monkeypatch.setenv("TEST_REDIS_BIN", "/nowhere")
    with pytest.raises(ServerUnavailableError, match="TEST_PG_BIN=/nowhere has no initdb"):
        find_postgres_binaries()
    with pytest.raises(ServerUnavailableError, match="TEST_REDIS_BIN=/nowhere"):
        find_redis_binary()


def test_a_free_port_is_free(free_port: int) -> None:
    with socket.create_server(("127.0.0.1", free_port)) as listener:
        assert listener.getsockname()[1] == free_port
