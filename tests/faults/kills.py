"""SIGKILL to a worker's parent, to one of its children or to all of them, at any instant."""

from __future__ import annotations

import random
import time
from contextlib import suppress

import psutil

from tests.faults import invariants, jobs
from tests.faults.campaign import Campaign, Trial, register
from tests.faults.stack import Stack

SPEC = "second"
# A parent that is started again imports everything anew, a child is only forked.
VICTIMS = ("child", "child", "child", "parent", "group")


def run(stack: Stack, rng: random.Random, trial: int) -> Trial:
    """Submit two jobs, kill something while they wait, begin, train or finish."""
    wanted = jobs.undisturbed(stack, SPEC)
    victim, after = rng.choice(VICTIMS), rng.uniform(0, 1)
    mine = [jobs.submit(stack, SPEC) for _ in range(2)]
    time.sleep(after)
    killed = kill(stack, rng, victim)
    began = time.monotonic()
    rows = jobs.finished(stack, mine)
    seconds = time.monotonic() - began
    told = [f"{row.id} {row.status}: {row.error}" for row in rows if row.status != "succeeded"]
    told += invariants.check(stack, mine, wanted)
    attempts = [row.attempt for row in rows]
    return Trial(told, f"{victim} ({killed}) after {after:.2f} s, attempts {attempts}", seconds)


def kill(stack: Stack, rng: random.Random, victim: str) -> int:
    """Kill what is named; how many processes that were."""
    parents = stack.workers()
    children = stack.children()
    chosen: list[psutil.Process] = []
    if victim == "child" and children:
        chosen = [rng.choice(children)]
    elif parents:
        chosen = [rng.choice(parents)]
        if victim == "group":
            with suppress(psutil.NoSuchProcess):
                chosen += chosen[0].children(recursive=True)
    for process in chosen:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return len(chosen)


register(
    Campaign(
        name="kills",
        title="`kill -9` of a worker's parent, child or group",
        count=500,
        few=2,
        run=run,
    )
)
