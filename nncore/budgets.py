"""Reasons to end a run in good order before its last epoch."""

from __future__ import annotations

import time
from collections.abc import Callable

Stop = Callable[[], bool]
"""Asked after each step whether the run is to end there."""


def time_budget(seconds: float) -> Stop:
    """A `stop` that ends a run after so many seconds from this call."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end
