"""Proxies between the processes of a stack and its servers, which can be told to hang."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from sqlalchemy.engine import make_url

from tests.faults.proxy import Proxy
from tests.faults.rings import socket_of
from tests.faults.stack import Servers, Stack

Process = Literal["api", "worker"]
Server = Literal["broker", "database"]


class Link:
    """The `links` of a setup: a proxy between one kind of process and one server.

    It serves the stack that was started last; a process of the campaign has one at a time.
    """

    def __init__(self, process: Process, server: Server) -> None:
        self._process = process
        self._server = server
        self._proxy: Proxy | None = None

    def __call__(self, servers: Servers) -> Mapping[str, Mapping[str, str]]:
        """Begin to listen; the environment that leads the processes here."""
        if self._proxy is not None:
            self._proxy.close()
        address = getattr(servers, f"{self._server}_url")
        if address is None:
            data_dir = Path(str(make_url(servers.database_url).database)).parent
            here = data_dir / f"{self._process}.sock"
            self._proxy = Proxy(socket_of(data_dir), here)
            return self._environment(f"redis+socket://{here}")
        url = make_url(address)
        assert url.host is not None
        assert url.port is not None
        self._proxy = Proxy((url.host, url.port))
        here_url = url.set(port=self._proxy.port)
        return self._environment(here_url.render_as_string(hide_password=False))

    def _environment(self, url: str) -> dict[str, dict[str, str]]:
        return {self._process: {f"GRADSERVE_{self._server.upper()}_URL": url}}

    def hang(self, rng: random.Random) -> str:
        """Let it hang for a while, or what is connected for good; says which."""
        assert self._proxy is not None
        fresh = rng.random() < 0.5
        seconds = rng.uniform(0.5, 8) if fresh else 0.0
        hanging = self._proxy.hang(fresh=fresh)
        time.sleep(seconds)
        self._proxy.pass_on()
        return f"{hanging} connections, and fresh ones for {seconds:.1f} s"

    def forget(self) -> None:
        """Let the server know of what hung, so that its connections do not pile up."""
        assert self._proxy is not None
        self._proxy.forget()


def link_of(stack: Stack) -> Link:
    """The link that the stack was set up with."""
    link = stack.setup.links
    assert isinstance(link, Link)
    return link
