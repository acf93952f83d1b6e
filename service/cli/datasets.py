"""`gradserve datasets ...`: upload, list, show, delete."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.calls import LOCAL, Limit, Url, call, show, show_table
from service.cli.failure import MISUSED, fail

app = typer.Typer(help="Upload data and look at it.", no_args_is_help=True)


@app.command()
def upload(
    file: Annotated[Path, typer.Argument(help="CSV, npz, ...")],
    name: Annotated[str | None, typer.Option(help="A name other than the file's.")] = None,
    url: Url = LOCAL,
) -> None:
    """Upload a file; prints the dataset's id."""
    try:
        content = file.open("rb")
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}", MISUSED)
    with content:
        fields = {} if name is None else {"name": name}
        parts = {"file": (file.name, content)}
        dataset = call(url, "POST", "datasets", files=parts, data=fields)
    typer.echo(f"{dataset['rows']} rows, {len(dataset['columns'])} columns", err=True)
    typer.echo(dataset["id"])


@app.command("list")
def list_datasets(limit: Limit = 20, url: Url = LOCAL) -> None:
    """List datasets, newest first."""
    items = call(url, "GET", "datasets", params={"limit": limit})["items"]
    show_table(items, "id", "name", "format", "rows", "created_at")


@app.command("show")
def show_dataset(dataset: Annotated[str, typer.Argument(metavar="ID")], url: Url = LOCAL) -> None:
    """Show a dataset with its columns."""
    show(call(url, "GET", "datasets", dataset))


@app.command()
def delete(dataset: Annotated[str, typer.Argument(metavar="ID")], url: Url = LOCAL) -> None:
    """Delete a dataset that no waiting or running job needs."""
    call(url, "DELETE", "datasets", dataset)
