"""Asking a running service over HTTP, and printing what it says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import quote, urlsplit

import httpx
import typer

from service.cli.failure import MISUSED, Refused, fail
from service.supervisor.listener import is_loopback

Url = Annotated[
    str, typer.Option(envvar="GRADSERVE_URL", help="Where the service listens.", metavar="URL")
]
Limit = Annotated[int, typer.Option(min=1, max=100, help="How many, newest first.")]
LOCAL = "http://127.0.0.1:8000"
TIMEOUT_SECONDS = 60.0


def call(url: str, method: str, *path: str, **request: Any) -> Any:
    """The JSON answer (None if empty); raises Refused."""
    try:
        with client(url) as connection:
            response = connection.request(method, route(*path), **request)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise unreachable(url, error) from error
    if not response.is_success:
        raise Refused(problem(response))
    try:
        return response.json() if response.content else None
    except ValueError as error:
        raise Refused(
            f"{url} does not answer like gradserve; say where it is with --url"
        ) from error


def client(url: str) -> httpx.Client:
    """A connection to the service; proxies of the environment do not stand before this machine."""
    trust = not is_loopback(urlsplit(url).hostname or "")
    return httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=trust)


def route(*path: str) -> str:
    """The address below `/v1`; parts are quoted, so that an id cannot become another path."""
    return "/".join(["/v1", *(quote(part, safe="") for part in path)])


def problem(response: httpx.Response) -> str:
    """A problem document for reading: its detail, then a line for each mistake."""
    try:
        document = response.json()
        lines = [str(document.get("detail") or document["title"])]
        lines += [f"{e['pointer']}: {e['detail']}" for e in document.get("errors", ())]
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{response.url} answered {response.status_code} {response.reason_phrase}"
    return "\n  ".join(lines)


def unreachable(url: str, error: Exception) -> Refused:
    """What to raise when nobody answers; says how to reach the service."""
    return Refused(
        f"no answer from {url} ({error}); "
        "start the service with `gradserve up`, or say where it is with --url"
    )


def read_document(file: str) -> Any:
    """The JSON document in a file, or on standard input for `-`."""
    name = "standard input" if file == "-" else file
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        return json.loads(text, parse_constant=_refuse)
    except OSError as error:
        fail(f"cannot read {name}: {error.strerror}", MISUSED)
    except ValueError as error:
        fail(f"{name} is not JSON: {error}", MISUSED)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def show(document: Any) -> None:
    """Print JSON for people and programs."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def show_table(items: list[dict[str, Any]], *columns: str) -> None:
    """Print a line for each item, columns aligned."""
    rows = [list(columns), *([_cell(item.get(name)) for name in columns] for item in items)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    return "-" if value is None else str(value)


def is_terminal() -> bool:
    """Whether a person watches standard output."""
    return sys.stdout.isatty()
