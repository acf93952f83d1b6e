"""Whether a server answers: the raw protocols, so that no client library stays in memory."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

PROBE_SECONDS = 2.0


async def broker_answers(path: Path) -> str | None:
    """PING over the broker's unix socket; None when it answers, else what is wrong."""
    try:
        answer = await _ask(path, b"PING")
    except OSError as error:  # TimeoutError is one
        return f"no answer on {path}: {error.strerror or 'timed out'}"
    return None if answer == b"+PONG" else answer.decode(errors="replace")


async def worker_waits(path: Path) -> str | None:
    """None when a client of the broker waits for a message, as only an idle worker does."""
    try:
        clients = await _ask(path, b"CLIENT LIST")
    except OSError as error:
        return f"no answer on {path}: {error.strerror or 'timed out'}"
    waiting = any(
        word.startswith(b"flags=") and b"b" in word[6:]  # blocked
        for word in clients.split()
    )
    return None if waiting else "it does not take messages"


async def http_ready(host: str, port: int, path: str = "/readyz") -> str | None:
    """GET over HTTP; None for status 200, else what the server says is missing."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            answer = await _get(host, port, path)
    except OSError as error:
        return f"no answer on port {port}: {error.strerror or 'timed out'}"
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.partition(b"\r\n")[0].split()[1:2]
    return None if status == [b"200"] else f"{path} answers {_reason(status, body)}"


async def _ask(path: Path, command: bytes) -> bytes:
    """The server's answer: a line, or the text that a first line `$LENGTH` announces."""
    async with asyncio.timeout(PROBE_SECONDS):
        reader, writer = await asyncio.open_unix_connection(path)
        try:
            writer.write(command + b"\r\n")
            answer = (await reader.readline()).strip()
            if answer[:1] == b"$":
                answer = (await reader.readexactly(int(answer[1:]) + 2)).strip()
            return answer
        except (asyncio.IncompleteReadError, ValueError):
            return b""
        finally:
            writer.close()


async def _get(host: str, port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    shown = f"[{host}]" if ":" in host else host
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {shown}:{port}\r\n\r\n".encode())
        return await reader.read()
    finally:
        writer.close()


def _reason(status: list[bytes], body: bytes) -> str:
    shown = b"".join(status).decode(errors="replace") or "no HTTP"
    try:
        document = json.loads(body)
    except ValueError:
        return shown
    detail = document.get("detail") if isinstance(document, dict) else None
    return f"{shown}: {detail}" if detail else shown
