"""The commands that run the service: the whole stack, or one of its processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.failure import fail
from service.cli.options import BrokerUrl, DatabaseUrl, DataDir, Host, Port, Workers, settings
from service.supervisor import data_dir as data_directory
from service.supervisor.problem import StartProblem

if TYPE_CHECKING:
    from service.settings import Settings


def up(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    broker_url: BrokerUrl = None,
    workers: Workers = None,
) -> None:
    """Run the whole stack on this machine until Ctrl-C."""
    from service.cli.launch import become, broker_binary

    chosen = settings(
        host=host,
        port=port,
        data_dir=data_dir,
        database_url=database_url,
        broker_url=broker_url,
        workers=workers,
    )
    embedded: tuple[str, ...] = ()
    if chosen.broker_url is None:
        socket = str(chosen.broker_socket)
        embedded = ("--broker-binary", broker_binary(), "--broker-socket", socket)
    become(
        "service.supervisor",
        *("--host", chosen.host, "--port", str(chosen.port)),
        *("--data-dir", str(chosen.data_dir.resolve())),
        *embedded,
    )


def api(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    broker_url: BrokerUrl = None,
) -> None:
    """Run one HTTP process."""
    from service.cli.launch import become

    chosen = settings(
        host=host, port=port, data_dir=data_dir, database_url=database_url, broker_url=broker_url
    )
    _need_data_dir(chosen)
    become("service.cli.serve")


def worker(
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    broker_url: BrokerUrl = None,
    workers: Workers = None,
) -> None:
    """Run the training processes of one machine."""
    from service.cli.launch import become

    chosen = settings(
        data_dir=data_dir, database_url=database_url, broker_url=broker_url, workers=workers
    )
    _need_data_dir(chosen)
    become("worker")


def migrate(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Create or upgrade the database's schema."""
    from service.cli.migration import bring_up_to_date

    chosen = settings(data_dir=data_dir, database_url=database_url)
    _need_data_dir(chosen)
    typer.echo(bring_up_to_date(chosen.resolved_database_url))


def demo(
    data_dir: DataDir = None,
    port: Port = None,
    exit_when_done: Annotated[
        bool, typer.Option("--exit", help="Stop when everything has been shown.")
    ] = False,
) -> None:
    """Show the whole thing: train on handwritten digits and ask for predictions."""
    from service.demo import run

    chosen = settings(data_dir=data_dir, port=port)
    run(chosen.data_dir, chosen.port, exit_when_done)


def _need_data_dir(chosen: Settings) -> None:
    if chosen.database_url is not None:
        return
    try:
        data_directory.make(chosen.data_dir)
    except StartProblem as problem:
        fail(str(problem), problem.status)
