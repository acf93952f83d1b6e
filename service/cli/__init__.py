"""The `gradserve` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line; ends the process with its exit status."""
    from service.cli.application import app
    from service.cli.failure import REFUSED, Refused, fail

    try:
        app()
    except Refused as refused:
        fail(str(refused), REFUSED)
