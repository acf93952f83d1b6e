"""The `gradserve` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line; ends the process with its exit status."""
    from service.cli.application import app

    app()
