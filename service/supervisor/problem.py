"""Why the stack could not be started, in words for the person who typed the command."""

from __future__ import annotations

USAGE_STATUS = 2
FAILURE_STATUS = 1


class StartProblem(Exception):
    """A message that says the mend, and the exit status that goes with it."""

    def __init__(self, message: str, status: int = USAGE_STATUS) -> None:
        super().__init__(message)
        self.status = status
