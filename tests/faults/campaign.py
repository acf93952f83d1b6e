"""What a campaign is: a name, how often, and one trial of it that a seed repeats."""

from __future__ import annotations

import importlib
import pkgutil
import random
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.faults.stack import KINDS, USUAL, Kind, Setup, Stack

Run = Callable[[Stack, random.Random, int], "Trial"]


@dataclass
class Trial:
    """What came of one trial; no violation is what everybody hopes for."""

    violations: list[str] = field(default_factory=list)
    note: str = ""
    recovery_seconds: float | None = None


@dataclass(frozen=True)
class Campaign:
    """Trials of one kind; `count` is the full size, `few` the share of it in `make test`."""

    name: str
    title: str  # for the table of the summary
    count: int
    run: Run
    few: int = 1  # 0: not in `make test`
    kinds: tuple[Kind, ...] = KINDS
    # A callable gets the trial, which then has a stack of its own.
    setup: Setup | Callable[[int], Setup] = USUAL
    chunk: int = 25  # trials that one stack is started for, unless they have stacks of their own

    def setup_of(self, trial: int) -> Setup:
        """The stack that a trial wants."""
        return self.setup if isinstance(self.setup, Setup) else self.setup(trial)


CAMPAIGNS: dict[str, Campaign] = {}
_NOT_CAMPAIGNS = {"__main__", "supervisor", "poisoned", "crashing"}


def register(campaign: Campaign) -> Campaign:
    """Make a campaign known; its module is imported by `load`."""
    assert campaign.name not in CAMPAIGNS, f"two campaigns are called {campaign.name}"
    CAMPAIGNS[campaign.name] = campaign
    return campaign


def load() -> dict[str, Campaign]:
    """Every campaign: each module of this package may register some."""
    package = importlib.import_module("tests.faults")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name not in _NOT_CAMPAIGNS and not module.name.startswith("test_"):
            importlib.import_module(f"tests.faults.{module.name}")
    return CAMPAIGNS


def attempt(campaign: Campaign, stack: Stack, seed: int, trial: int) -> dict[str, Any]:
    """Run one trial and say how it went, as a line of the log of results."""
    rng = random.Random(f"{seed}/{stack.kind}/{campaign.name}/{trial}")
    began = time.monotonic()
    try:
        result = campaign.run(stack, rng, trial)
    except Exception as problem:  # a trial that cannot be carried through has not held either
        where = traceback.format_exc(limit=-4)
        result = Trial([f"{type(problem).__name__}: {problem}"], note=where)
    spent = round(time.monotonic() - began, 2)
    key = {"campaign": campaign.name, "stack": stack.kind, "seed": seed, "trial": trial}
    return key | asdict(result) | {"seconds": spent}
