"""`gradserve models ...`: list, show, predict."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.calls import LOCAL, Limit, Url, call, read_document, show, show_table

app = typer.Typer(help="Look at trained models and ask them.", no_args_is_help=True)

ModelId = Annotated[str, typer.Argument(metavar="ID")]


@app.command("list")
def list_models(limit: Limit = 20, url: Url = LOCAL) -> None:
    """List models, newest first."""
    items = call(url, "GET", "models", params={"limit": limit})["items"]
    show_table(items, "id", "name", "created_at")


@app.command("show")
def show_model(model: ModelId, url: Url = LOCAL) -> None:
    """Show a model: network, input, metrics, where it comes from."""
    show(call(url, "GET", "models", model))


@app.command()
def predict(
    model: ModelId,
    file: Annotated[
        str, typer.Argument(help='{"instances": [...]} or the list alone; - for stdin')
    ],
    url: Url = LOCAL,
) -> None:
    """Ask a model for predictions."""
    document = read_document(file)
    body = {"instances": document} if isinstance(document, list) else document
    show(call(url, "POST", "models", model, "predict", json=body))
