"""All commands, put together."""

from __future__ import annotations

from importlib import metadata
from typing import Annotated

import typer

from service.cli import datasets, jobs, models, processes, verify

app = typer.Typer(
    name="gradserve",
    help="Train neural networks behind an HTTP API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gradserve {metadata.version('gradserve')}")
        raise typer.Exit


@app.callback()
def gradserve(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Train neural networks behind an HTTP API."""


for command in (processes.up, processes.api, processes.worker, processes.migrate, processes.demo):
    app.command()(command)
app.command()(verify.verify)
app.add_typer(datasets.app, name="datasets")
app.add_typer(jobs.app, name="jobs")
app.add_typer(models.app, name="models")
