"""The whole service as users start it: embedded on one machine, and on PostgreSQL with Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.acceptance.service import Service
from tests.servers.postgres import PostgresCluster
from tests.servers.process import free_tcp_port
from tests.servers.redis import RedisServer
from tests.waiting import wait_until

START_SECONDS = 100
STOP_SECONDS = 30
# A dead worker's job is taken over after its lease; tests should not wait for the usual one.
QUICK = {
    "GRADSERVE_LEASE_SECONDS": "5",
    "GRADSERVE_SWEEP_SECONDS": "0.5",
    "GRADSERVE_CHECKPOINT_SECONDS": "0.5",
}


@pytest.fixture(scope="package", params=["embedded", "postgresql_and_redis"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A running service, its processes stopped in order and checked to be gone."""
    data_dir = tmp_path_factory.mktemp(request.param)
    if request.param == "embedded":
        with embedded(data_dir) as running:
            yield running
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres_cluster")
    redis: RedisServer = request.getfixturevalue("redis_server")
    with distributed(data_dir, cluster, redis) as running:
        yield running


@contextmanager
def embedded(data_dir: Path, **environment: str) -> Iterator[Service]:
    """`gradserve up` on a free port."""
    arguments = ["up", "--port", "0", "--data-dir", str(data_dir)]
    with _process(arguments, environment, data_dir) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready http"), f"no ready line but {line!r}; see {data_dir}"
        with _client(line.split()[1]) as client:
            database_url = f"sqlite+pysqlite:///{data_dir / 'gradserve.db'}"
            yield Service(client, data_dir, database_url, [process])


@contextmanager
def distributed(data_dir: Path, cluster: PostgresCluster, redis: RedisServer) -> Iterator[Service]:
    """The commands of docker-compose.yml, without Docker: migrate, api, worker."""
    redis.flush()
    database, port = cluster.create_database(), free_tcp_port()
    environment = {
        "GRADSERVE_DATABASE_URL": cluster.url(database),
        "GRADSERVE_BROKER_URL": redis.url,
        "GRADSERVE_PORT": str(port),
    }
    with ExitStack() as stack:
        stack.callback(cluster.drop_database, database)
        with _process(["migrate"], environment, data_dir) as migrate:
            assert migrate.wait(START_SECONDS) == 0
        running = [
            stack.enter_context(_process([command], environment, data_dir))
            for command in ("api", "worker")
        ]
        client = stack.enter_context(_client(f"http://127.0.0.1:{port}"))
        wait_until(lambda: _is_ready(client), START_SECONDS, "the API is ready")
        yield Service(client, data_dir, cluster.url(database), running)


@contextmanager
def _process(
    arguments: list[str], environment: dict[str, str], data_dir: Path
) -> Iterator[subprocess.Popen[str]]:
    """One `gradserve` command; stopped with SIGTERM, after which none of its children is left."""
    log = (data_dir / f"{arguments[0]}.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "service.cli", *arguments],
        env=os.environ | QUICK | environment,
        stdout=subprocess.PIPE if arguments[0] == "up" else log,
        stderr=log,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        children = _family(process)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        _, left = psutil.wait_procs(children, timeout=30)
        for child in left:
            child.kill()
        if process.stdout is not None:
            process.stdout.close()
        log.close()
        assert not left, f"{arguments[0]} left {left} behind"
        assert status == 0, f"{arguments[0]} ended with {status}; see {log.name}"


def _family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _client(url: str) -> httpx.Client:
    # The server ends idle connections after 5 s: a request must not be on its way at that moment.
    limits = httpx.Limits(keepalive_expiry=1)
    return httpx.Client(base_url=url, timeout=60, trust_env=False, limits=limits)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False
