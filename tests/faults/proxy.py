"""A link that can go silent: a proxy that swallows what is sent and closes nothing.

That is what is left of a connection whose other end lost its power, or whose firewall forgot it:
neither side is told, and everything that is written seems to arrive.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

Address = tuple[str, int] | Path
_PIECE = 2**16


@dataclass
class _Link:
    client: socket.socket
    server: socket.socket
    silent: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        for side in (self.client, self.server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it
            side.close()


class Proxy:
    """Passes connections on to a server, until told to let them hang."""

    def __init__(self, server: Address, listen: Address = ("127.0.0.1", 0)) -> None:
        self._server = server
        self._listener = _socket_for(listen)
        self._listener.bind(_spelt(listen))
        self._listener.listen(128)
        self._links: list[_Link] = []
        self._silent_links = False  # whether connections made from here on hang from their start
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        """Where it listens, if it does so over TCP."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def links(self) -> int:
        """How many connections are passed on at this moment."""
        with self._lock:
            return sum(not link.silent.is_set() for link in self._links)

    def hang(self, *, fresh: bool) -> int:
        """Let every connection hang for good, and with `fresh` those still to come; how many do."""
        with self._lock:
            self._silent_links = fresh
            hanging = [link for link in self._links if not link.silent.is_set()]
            for link in hanging:
                link.silent.set()
        return len(hanging)

    def pass_on(self) -> None:
        """Serve connections that are made from here on; what hangs stays so."""
        with self._lock:
            self._silent_links = False

    def forget(self) -> None:
        """Close what hangs, which both sides are told of."""
        with self._lock:
            gone = [link for link in self._links if link.silent.is_set()]
            self._links = [link for link in self._links if link not in gone]
        for link in gone:
            link.close()

    def close(self) -> None:
        """Stop listening and close every connection."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang(fresh=True)
        self.forget()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            server = _socket_for(self._server)
            try:
                server.connect(_spelt(self._server))
            except OSError:
                client.close()  # as the server itself would refuse it
                continue
            link = _Link(client, server)
            with self._lock:
                self._links.append(link)
                if self._silent_links:
                    link.silent.set()
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(link, *pair), daemon=True).start()

    def _pump(self, link: _Link, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_PIECE):
                if not link.silent.is_set():
                    target.sendall(data)
        if link.silent.is_set():
            return  # that this side has closed is not told to the other
        with self._lock:
            if link in self._links:
                self._links.remove(link)
        link.close()


def _socket_for(address: Address) -> socket.socket:
    family = socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET
    return socket.socket(family, socket.SOCK_STREAM)


def _spelt(address: Address) -> tuple[str, int] | str:
    return str(address) if isinstance(address, Path) else address
