"""One running gradserve whose every process can be reached, broken and started again."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

import httpx
import psutil

from service.cli.launch import broker_binary
from service.settings import Settings
from service.store.database import Database
from service.supervisor.stack import import_environment, python
from tests.acceptance.service import Service
from tests.faults.processes import Kept, alive, among, family_of, launch, stop
from tests.faults.rooms import Room
from tests.servers.postgres import PostgresCluster, start_postgres
from tests.servers.process import free_tcp_port
from tests.servers.redis import RedisServer, start_redis
from tests.waiting import wait_until

Kind = Literal["embedded", "postgresql"]
KINDS: tuple[Kind, ...] = ("embedded", "postgresql")
START_SECONDS = 120.0
QUICK = {
    "GRADSERVE_LEASE_SECONDS": "2",
    "GRADSERVE_HEARTBEAT_SECONDS": "0.25",
    "GRADSERVE_SWEEP_SECONDS": "0.3",
    "GRADSERVE_POLL_SECONDS": "1",
    "GRADSERVE_CHECKPOINT_SECONDS": "0.15",
    # Only the poisonous may fail: a machine that is busy with several stacks loses leases as well.
    "GRADSERVE_MAX_ATTEMPTS": "20",
}


@dataclass(frozen=True)
class Servers:
    """Where the database and the broker of a stack are (None: `gradserve up` starts its own)."""

    database_url: str
    broker_url: str | None


@dataclass(frozen=True)
class Setup:
    """How a stack differs from the usual one."""

    environment: Mapping[str, str] = field(default_factory=dict)  # of every process
    # Of single processes ("api", "worker"), once the servers are known: a proxy in between.
    links: Callable[[Servers], Mapping[str, Mapping[str, str]]] | None = None
    wrapper: str | None = None  # a module that `worker` and `service.cli.serve` are run by
    own_broker: bool = False  # embedded: a broker over TCP that we keep, not `gradserve up`
    workers: int = 2  # worker processes on PostgreSQL; `up` has one
    room: int | None = None  # MiB of a file system for the data, which `Stack.room` can fill


USUAL = Setup()


class Stack:
    """A service on SQLite and an embedded broker, or on PostgreSQL and Redis."""

    def __init__(self, kind: Kind, setup: Setup = USUAL) -> None:
        self.kind = kind
        self.setup = setup
        self.data_dir = Path(tempfile.mkdtemp(prefix="gradserve-faults-"))
        self.postgres: PostgresCluster | None = None
        self.redis: RedisServer | None = None
        self.undisturbed: dict[str, object] = {}  # by the name of the spec
        self.finals: dict[str, object] = {}  # how each job ended, when it was first seen final
        self._kept: dict[str, list[Kept]] = {"api": [], "worker": []}
        self._up: int | None = None
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        self.room = Room(self.setup.room or 0)
        try:
            if "FAULTS_KEEP" not in os.environ:  # its logs may be wanted
                self._exit.callback(shutil.rmtree, self.data_dir, ignore_errors=True)
            self._exit.enter_context(self.room)
            self._start_servers()
            url = self._start_embedded() if self.kind == "embedded" else self._start_distributed()
            client = httpx.Client(base_url=url, timeout=30, trust_env=False)
            self.service = Service(
                self._exit.enter_context(client), self.data_dir, self.database_url, []
            )
            self.database = Database(self.database_url)
            self._exit.callback(self.database.dispose)
            wait_until(self.is_ready, START_SECONDS, "the API is ready", 0.1)
            wait_until(self.children, START_SECONDS, "workers have children", 0.1)
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    # Processes

    def workers(self) -> list[psutil.Process]:
        """The parents of the training processes."""
        if self.kind == "postgresql":
            return [kept.process for kept in self._kept["worker"] if kept.process]
        assert self._up is not None
        services = psutil.Process(self._up).children()
        return among(services, lambda line: "-m" in line and line[-1] == "worker")

    def children(self) -> list[psutil.Process]:
        """The training processes."""
        found = []
        for worker in self.workers():
            with suppress(psutil.NoSuchProcess):
                found += [child for child in worker.children() if alive(child.pid)]
        return found

    def api(self) -> psutil.Process | None:
        """The HTTP process, unless it is down at this moment."""
        if self.kind == "postgresql":
            return self._kept["api"][0].process
        found = among(self._services(), lambda line: "service.cli.serve" in line)
        return found[0] if found else None

    def broker(self) -> psutil.Process | None:
        """The broker's process, unless it is down at this moment."""
        if self.redis is not None:
            return alive(self.redis.process.pid)
        found = among(self._services(), lambda line: "-server " in line[0])
        return found[0] if found else None

    def is_ready(self) -> bool:
        """Whether the API answers that it is."""
        with suppress(httpx.TransportError):
            return self.service.client.get("/readyz").status_code == 200
        return False

    # Servers

    def kill_broker(self) -> None:
        """SIGKILL; one of `gradserve up` is started again by itself, else `restart_broker`."""
        if self.redis is not None:
            self.redis.process.kill()
        elif (broker := self.broker()) is not None:
            broker.kill()
            broker.wait(10)

    def restart_broker(self) -> None:
        """Have a killed broker back, and wait until it answers."""
        if self.redis is not None:
            self.redis.process.start_again()
            self.redis.process.wait_until_ready(self.redis.answers)
        else:
            wait_until(self.broker, START_SECONDS, "the broker is started again", 0.05)

    def kill_postgres(self) -> None:
        """SIGKILL to the server and every process of it."""
        assert self.postgres is not None
        self.postgres.process.kill()

    def restart_postgres(self) -> None:
        """Have a killed PostgreSQL back, and wait until it answers."""
        assert self.postgres is not None
        self.postgres.process.start_again()
        self.postgres.process.wait_until_ready(self.postgres.answers)

    # Starting

    def _start_servers(self) -> None:
        self.database_url = f"sqlite+pysqlite:///{self.data_dir / 'gradserve.db'}"
        if self.setup.room and self.kind == "embedded":
            self.room.mount(self.data_dir)
        if self.kind == "postgresql":
            mount = self.room.mount if self.setup.room else None
            self.postgres = start_postgres(durable=True, mount=mount)
            self._exit.callback(self.postgres.process.stop)
            self.database_url = self.postgres.url(self.postgres.create_database())
        if self.kind == "postgresql" or self.setup.own_broker:
            self.redis = start_redis(durable=True)
            self._exit.callback(self.redis.process.stop)
        self.broker_url = self.redis.url if self.redis else None
        links = self.setup.links
        servers = Servers(self.database_url, self.broker_url)
        self._links = {name: dict(env) for name, env in links(servers).items()} if links else {}

    def _environment(self) -> dict[str, str]:
        clean = {k: v for k, v in import_environment().items() if not k.startswith("GRADSERVE_")}
        urls = {"GRADSERVE_DATA_DIR": str(self.data_dir), "TMPDIR": str(self.data_dir)}
        if self.kind == "postgresql":
            urls["GRADSERVE_DATABASE_URL"] = self.database_url
        if self.broker_url:
            urls["GRADSERVE_BROKER_URL"] = self.broker_url
        return clean | urls | QUICK | dict(self.setup.environment)

    def _start_embedded(self) -> str:
        settings = Settings(data_dir=self.data_dir, broker_url=self.broker_url)
        arguments = ["--host", "127.0.0.1", "--port", "0", "--data-dir", str(self.data_dir)]
        if self.broker_url is None:
            arguments += ["--broker-binary", broker_binary()]
            arguments += ["--broker-socket", str(settings.broker_socket)]
        environment = self._environment() | {"FAULTS_ENVIRONMENT": json.dumps(self._links)}
        if self.setup.wrapper:
            environment["FAULTS_WRAPPER"] = self.setup.wrapper
        reading, writing = os.pipe()
        command = python("tests.faults.supervisor", *arguments)
        process = launch(command, environment, self.data_dir / "up.log", writing)
        self._up = process.pid
        self._exit.callback(stop, process)
        os.close(writing)
        with os.fdopen(reading) as output:
            line = output.readline()
        assert line.startswith("ready http"), (self.data_dir / "up.log").read_text()
        return line.split()[1]

    def _start_distributed(self) -> str:
        port = free_tcp_port()
        environment = self._environment() | {"GRADSERVE_PORT": str(port)}
        migrate = launch(
            python("service.cli", "migrate"), environment, self.data_dir / "migrate.log"
        )
        assert migrate.wait(START_SECONDS) == 0, (self.data_dir / "migrate.log").read_text()
        self._keep("api", "service.cli.serve", environment)
        for _ in range(self.setup.workers):
            self._keep("worker", "worker", environment)
        return f"http://127.0.0.1:{port}"

    def _keep(self, name: str, module: str, environment: Mapping[str, str]) -> None:
        modules: Sequence[str] = (self.setup.wrapper, module) if self.setup.wrapper else (module,)
        log = self.data_dir / f"{name}-{len(self._kept[name])}.log"
        kept = Kept(python(*modules), {**environment, **self._links.get(name, {})}, log)
        self._kept[name].append(kept)
        self._exit.callback(kept.stop)

    def _services(self) -> list[psutil.Process]:
        assert self._up is not None
        return family_of(self._up)[1:]


def main() -> None:
    """Start a stack of the kind that is named and keep it until Enter, to look at it."""
    with Stack("postgresql" if "postgresql" in sys.argv else "embedded") as stack:
        print(stack.service.client.base_url, stack.data_dir)
        input()


if __name__ == "__main__":
    main()
