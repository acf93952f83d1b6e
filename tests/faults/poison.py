"""Poisonous jobs among healthy ones: each fails with its reason and harms no other."""

from __future__ import annotations

import random
import time
from typing import Any

from tests.faults import invariants, jobs
from tests.faults.campaign import Campaign, Trial, register
from tests.faults.stack import Setup, Stack

HEALTHY = 20
SPEC = "short"
_DIVERGES = {
    "optimizer": {"type": "sgd", "learning_rate": 1e30},
    "loss": "mean_squared_error",
    "metrics": [],
    "network": {"layers": [{"type": "dense", "units": 1}]},
}
_HUGE = [{"type": "dense", "units": 6000}, {"type": "dense", "units": 6000}]
# By name: what the job has besides, and the type of the error that it ends with.
POISONS: dict[str, tuple[dict[str, Any], str]] = {
    "segfault": ({}, "poisoned"),
    "exit": ({}, "poisoned"),
    "hang": ({"budget_seconds": 1.0}, "budget_exceeded"),
    "endless": ({"epochs": 1_000_000, "budget_seconds": 1.0}, "budget_exceeded"),
    "hog": (
        {"network": {"layers": [*_HUGE, {"type": "dense", "units": 2}]}},
        "out_of_memory",
    ),
    "diverging": (
        _DIVERGES | {"epochs": 50},
        "diverged",
    ),
}


def run(stack: Stack, rng: random.Random, trial: int) -> Trial:
    """Submit the poisons at random places among the healthy."""
    wanted = jobs.undisturbed(stack, SPEC)
    order = [*POISONS, *[""] * HEALTHY]
    rng.shuffle(order)
    began = time.monotonic()
    ids = [(name, jobs.submit(stack, SPEC, **_body(name))) for name in order]
    rows = {row.id: row for row in jobs.finished(stack, [job for _, job in ids], 120)}
    took = time.monotonic() - began
    violations = []
    for name, job in ids:
        row = rows[job]
        ended = (row.status, (row.error or {}).get("type"), row.attempt)
        if not name and ended != ("succeeded", None, 1):
            violations.append(f"the healthy {job} ended as {ended}")
        if name and ended[:2] != ("failed", POISONS[name][1]):
            violations.append(f"the job `{name}` ended as {ended}: {row.error}")
        if name and not (row.error or {}).get("detail"):
            violations.append(f"the error of `{name}` has no detail: {row.error}")
    violations += invariants.check(stack, [job for _, job in ids], wanted)
    return Trial(violations, f"{len(ids)} jobs in {took:.1f} s")


def _body(name: str) -> dict[str, Any]:
    return {"name": name, **POISONS[name][0]} if name else {}


register(
    Campaign(
        name="poison",
        title="six poisonous jobs beside 20 healthy ones",
        count=10,
        run=run,
        setup=Setup(
            wrapper="tests.faults.poisoned",
            environment={
                "GRADSERVE_MAX_ATTEMPTS": "3",
                # The poisons keep every core busy; the healthy must not pay for that.
                "GRADSERVE_LEASE_SECONDS": "8",
                "GRADSERVE_MAX_JOB_BYTES": str(300 * 2**20),
            },
        ),
        chunk=5,
    )
)
