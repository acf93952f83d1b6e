"""What a supervised service is: its command, its surroundings, and how to see that it is ready."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass


async def running_is_enough() -> str | None:
    """For a service that has no way to be asked."""
    return None


def nothing_to_prepare() -> None:
    """For a service that leaves nothing behind that could be in its way."""


@dataclass(frozen=True)
class Service:
    """A program to keep running, or, with `once`, to run to its end before what comes after."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    once: bool = False
    ready: Callable[[], Awaitable[str | None]] = running_is_enough  # None, or what is missing
    prepare: Callable[[], None] = nothing_to_prepare  # before every start
    inherit: tuple[int, ...] = ()  # descriptors that the program gets
    grace_seconds: float = 10.0  # from SIGTERM to SIGKILL


@dataclass(frozen=True)
class Pace:
    """How patient the supervisor is, in seconds."""

    start: float = 60.0  # until a service must be ready
    look: float = 0.05  # between two looks at a service that starts
    first_back_off: float = 0.2  # doubled with every crash in a row
    longest_back_off: float = 10.0
    healthy: float = 30.0  # after which a crash counts as the first again
    log_check: float = 60.0  # between two looks at the size of a log

    def back_off(self, crashes: int) -> float:
        """How long to wait after so many crashes in a row (1, 2, ...)."""
        return min(self.longest_back_off, self.first_back_off * 2.0 ** min(crashes - 1, 30))
