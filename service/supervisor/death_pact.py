"""A child that ends with its parent, however the parent ends (Linux: prctl(2), PDEATHSIG)."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def death_pact(signal_number: int) -> Callable[[], None] | None:
    """What a child runs before its program: ask for this signal when its parent dies.

    Call it in the parent; hand the result to `Popen(preexec_fn=...)`. None where there is no prctl.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def die_with_parent() -> None:
        prctl(_PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)

    return die_with_parent
