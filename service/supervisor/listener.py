"""The API's listening socket: opened before anything starts, and handed to each API process.

The supervisor keeps it open, so that the port cannot be lost between check and use, and requests
that arrive while a crashed API is started again wait instead of being refused.
"""

from __future__ import annotations

import errno
import ipaddress
import socket

from service.supervisor.problem import StartProblem

BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """Listen on host and port (0: a free one); raises StartProblem that says the mend."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        raise StartProblem(f"host {host!r} is unknown; choose another with --host") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _problem(host, port, error) from None
    return listener


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def url(host: str, listener: socket.socket) -> str:
    """The address to open, with the port that was given or found."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def reachable(listener: socket.socket) -> tuple[str, int]:
    """A numeric address and port at which this machine reaches the socket."""
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host.partition("%")[0]).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    return host, port


def _problem(host: str, port: int, error: OSError) -> StartProblem:
    if error.errno == errno.EADDRINUSE:
        return StartProblem(
            f"port {port} is already in use; stop the other program or choose another with --port"
        )
    if error.errno == errno.EACCES:
        return StartProblem(
            f"port {port} needs more rights; choose one above 1023 with --port (0: a free one)"
        )
    return StartProblem(f"cannot listen on {host}: {error.strerror}; choose another with --host")
