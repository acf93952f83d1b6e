"""A worker in which jobs of certain names do what no network can.

`python -m tests.faults.poisoned MODULE` runs that module with the training of those jobs replaced.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import sys
from collections.abc import Callable
from typing import Any


def segfault() -> None:
    """Read where nothing is."""
    ctypes.string_at(0)


def leave() -> None:
    """End the process without a word."""
    os._exit(3)


def hang() -> None:
    """Never come to the next step."""
    while True:
        pass


POISONS: dict[str, Callable[[], None]] = {"segfault": segfault, "exit": leave, "hang": hang}


def main() -> None:
    """Replace the training of poisonous jobs, then be the module that was asked for."""
    sys.argv[:] = sys.argv[1:]
    if sys.argv[0] == "worker":
        import worker.run

        train = vars(worker.run)["train"]

        def disturbed(heart: Any) -> None:
            POISONS.get(heart.claim.name, lambda: None)()
            train(heart)

        vars(worker.run)["train"] = disturbed
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
