"""Flags that are named like the settings and win over the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.failure import MISUSED, fail

if TYPE_CHECKING:
    from service.settings import Settings

Host = Annotated[str | None, typer.Option(envvar="GRADSERVE_HOST", help="Address to listen on.")]
Port = Annotated[
    int | None,
    typer.Option(envvar="GRADSERVE_PORT", min=0, max=65535, help="Port; 0 takes a free one."),
]
DataDir = Annotated[
    Path | None, typer.Option(envvar="GRADSERVE_DATA_DIR", help="Where everything is kept.")
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar="GRADSERVE_DATABASE_URL", help="SQL database; SQLite in the data directory if none."
    ),
]
BrokerUrl = Annotated[
    str | None,
    typer.Option(envvar="GRADSERVE_BROKER_URL", help="Redis; an embedded server if none."),
]
Workers = Annotated[
    int | None, typer.Option(envvar="GRADSERVE_WORKERS", min=1, help="Training processes.")
]


def settings(**flags: str | int | Path | None) -> Settings:
    """The settings with these flags, which also go into the environment for what is started.

    A variable that is set but empty counts as not set. Ends the process with a message that names
    the variable when one cannot be understood.
    """
    from pydantic import ValidationError

    from service.settings import Settings

    for name in [name for name in os.environ if name.startswith("GRADSERVE_")]:
        if not os.environ[name]:
            del os.environ[name]
    for name, value in flags.items():
        if value is not None:
            os.environ[_variable(name)] = str(value)
    try:
        return Settings()
    except ValidationError as error:
        mistakes = [
            f"{_variable(str(mistake['loc'][0]))}={mistake['input']!r}: {mistake['msg']}"
            for mistake in error.errors()
        ]
        fail("; ".join(mistakes), MISUSED)


def _variable(name: str) -> str:
    return f"GRADSERVE_{name.upper()}"
