"""How a command ends without success: one message on stderr and an exit status."""

from __future__ import annotations

import sys
from typing import NoReturn

REFUSED = 1  # the service said no, or did not answer
MISUSED = 2  # the command line, a file or the surroundings are wrong


class Refused(Exception):
    """The service said no, or did not answer; the message says the mend."""


def fail(message: str, status: int) -> NoReturn:
    """End the process; the message says the mend."""
    print(f"gradserve: {message}", file=sys.stderr)
    sys.exit(status)
