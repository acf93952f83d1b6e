"""Waiting for something to become true, with a deadline; nothing else in the tests sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def wait_until(
    condition: Callable[[], Result],
    deadline_seconds: float,
    why: str,
    interval_seconds: float = 0.02,
) -> Result:
    """Poll `condition` until it is truthy and return what it said.

    `why` names what is waited for; it is the message of the AssertionError that is raised when
    the deadline has passed. An exception of `condition` ends the waiting.
    """
    give_up_at = time.monotonic() + deadline_seconds
    while not (result := condition()):
        if time.monotonic() >= give_up_at:
            raise AssertionError(f"{why}: still not so after {deadline_seconds:g} s")
        time.sleep(interval_seconds)
    return result
