"""The embedded broker as the real server, without a client library."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from service.cli.launch import broker_binary
from service.supervisor.broker import broker_service, remove_socket
from service.supervisor.probes import broker_answers
from service.supervisor.problem import StartProblem
from service.supervisor.service import Service
from tests.waiting import wait_until


@pytest.fixture
def socket() -> Iterator[Path]:
    with TemporaryDirectory(prefix="gradserve-") as folder:  # tmp_path is too long for a socket
        yield Path(folder) / "b" / "broker.sock"


def run(service: Service) -> subprocess.Popen[bytes]:
    service.prepare()
    return subprocess.Popen(service.command, stdout=subprocess.DEVNULL)


def test_the_broker_starts_over_a_stale_socket_and_answers(tmp_path: Path, socket: Path) -> None:
    service = broker_service(broker_binary(), socket, tmp_path, {})
    socket.touch()
    assert asyncio.run(service.ready()) is not None
    server = run(service)
    try:
        wait_until(lambda: asyncio.run(service.ready()) is None, 30, "the broker answers")
    finally:
        server.terminate()
        assert server.wait(10) == 0


def test_what_the_broker_was_told_outlives_a_kill(tmp_path: Path, socket: Path) -> None:
    service = broker_service(broker_binary(), socket, tmp_path, {})
    for command, answer in (("SET key kept", "+OK"), ("GET key", "$4")):
        server = run(service)
        try:
            wait_until(lambda: asyncio.run(broker_answers(socket)) is None, 30, "it answers")
            assert asyncio.run(ask(socket, command)) == answer
            # The append-only file reaches the disk once a second, but the kernel at once.
        finally:
            server.kill()
            server.wait(10)


def test_only_its_owner_can_reach_the_socket(tmp_path: Path, socket: Path) -> None:
    broker_service("unused", socket, tmp_path, {})
    assert socket.parent.stat().st_mode & 0o777 == 0o700


def test_a_link_planted_where_the_socket_goes_is_refused(tmp_path: Path, socket: Path) -> None:
    socket.parent.symlink_to(tmp_path)
    with pytest.raises(StartProblem, match="belongs to another user"):
        broker_service("unused", socket, tmp_path, {})


def test_nothing_stays_in_the_temporary_directory(tmp_path: Path, socket: Path) -> None:
    broker_service("unused", socket, tmp_path, {})
    socket.touch()
    remove_socket(socket)
    assert not socket.parent.exists()


async def ask(socket: Path, command: str) -> str:
    reader, writer = await asyncio.open_unix_connection(socket)
    writer.write(f"{command}\r\n".encode())
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer.decode().strip()
