"""A broker that is killed, emptied or away, and links to it that hang."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from dataclasses import replace

import psutil

from tests.faults import invariants, jobs, rings
from tests.faults.campaign import Campaign, Trial, register
from tests.faults.links import Link, link_of
from tests.faults.stack import Setup, Stack
from tests.waiting import wait_until

CALM = Setup(environment=rings.LONG_LEASE)
ABSENT_SECONDS = 120.0
ACCEPT_SECONDS = 5.0


def kill(stack: Stack, rng: random.Random, _trial: int) -> Trial:
    """Kill the broker between submissions, and have it back after a while."""
    jobs.undisturbed(stack, "short")
    mine = [submit(stack) for _ in range(2)]
    time.sleep(rng.uniform(0, 0.3))
    stack.kill_broker()
    began = time.monotonic()
    mine += [submit(stack) for _ in range(2)]
    time.sleep(rng.uniform(0, 1))
    stack.restart_broker()
    mine.append(submit(stack))
    return settled(stack, mine, began)


def flush(stack: Stack, rng: random.Random, _trial: int) -> Trial:
    """FLUSHALL while messages wait and workers listen."""
    jobs.undisturbed(stack, "short")
    mine = [submit(stack) for _ in range(rng.randrange(3, 7))]
    time.sleep(rng.uniform(0, 0.1))
    began = time.monotonic()
    with rings.client(stack) as broker:
        broker.flushall()
    mine.append(submit(stack))
    return settled(stack, mine, began)


def absent(stack: Stack, rng: random.Random, _trial: int) -> Trial:
    """No broker for two minutes: jobs are accepted and run all the same, trainers are replaced."""
    jobs.undisturbed(stack, "short")
    stack.kill_broker()
    back_at = time.monotonic() + ABSENT_SECONDS
    mine, waits, killed = [], [], 0
    while time.monotonic() < back_at:
        if rng.random() < 0.1:
            killed += kill_trainers(stack)
        began = time.monotonic()
        job = submit(stack)
        jobs.finished(stack, [job])
        waits.append(time.monotonic() - began)
        mine.append(job)
        time.sleep(rng.uniform(0, 2))
    began = time.monotonic()
    stack.restart_broker()
    trial = settled(stack, mine, began)
    told = f"{len(mine)} jobs without a broker, the slowest final after {max(waits):.1f} s"
    trial.note = f"{told}; {killed} trainers killed meanwhile"
    return trial


def hang(stack: Stack, rng: random.Random, _trial: int) -> Trial:
    """Let the link hang; submissions are accepted and run meanwhile."""
    jobs.undisturbed(stack, "short")
    mine = [submit(stack) for _ in range(2)]
    time.sleep(rng.uniform(0, 0.3))
    began = time.monotonic()
    hung = link_of(stack).hang(rng)
    mine += [submit(stack) for _ in range(4)]
    trial = settled(stack, mine, began)
    trial.note = hung
    link_of(stack).forget()
    return trial


def kill_trainers(stack: Stack) -> int:
    """Kill every trainer at a moment when none has a job; how many there were."""
    trainers = stack.children()
    for trainer in trainers:
        with suppress(psutil.NoSuchProcess):
            trainer.kill()
    return len(trainers)


def submit(stack: Stack) -> str:
    """Submit a job, which must be accepted soon whatever the broker does."""
    began = time.monotonic()
    job = jobs.submit(stack, "short")
    seconds = time.monotonic() - began
    assert seconds < ACCEPT_SECONDS, f"{job} was accepted after {seconds:.1f} s"
    return job


def settled(stack: Stack, mine: list[str], began: float) -> Trial:
    """Every job's end, and a broker that API and workers use again."""
    rows = jobs.finished(stack, mine, rings.RECOVERY_SECONDS)
    rings.wait_for_listeners(stack)
    wait_until(lambda: is_rung(stack), rings.RECOVERY_SECONDS, "the API reaches the broker", 0.1)
    seconds = time.monotonic() - began
    told = [f"{row.id} {row.status}: {row.error}" for row in rows if row.status != "succeeded"]
    again = [f"{row.id} took {row.attempt} attempts" for row in rows if row.attempt != 1]
    told += again + invariants.check(stack, mine, jobs.undisturbed(stack, "short"))
    return Trial(told, "", seconds)


def is_rung(stack: Stack) -> bool:
    """Whether the API says that the broker answers."""
    answer = stack.service.client.get("/readyz")
    return answer.status_code == 200 and bool(answer.json()["checks"]["broker"] == "ok")


register(
    Campaign(
        name="broker-kills",
        title="broker killed (`kill -9`) and restarted",
        count=100,
        few=1,
        run=kill,
        setup=CALM,
    )
)
register(
    Campaign(
        name="flushes",
        title="FLUSHALL of the broker",
        count=50,
        few=1,
        run=flush,
        setup=CALM,
    )
)
register(
    Campaign(
        name="absence",
        title="broker away for 2 minutes",
        count=1,
        few=0,
        run=absent,
        setup=replace(CALM, own_broker=True),
    )
)
for process in ("api", "worker"):
    register(
        Campaign(
            name=f"half-open-{process}-broker",
            title=f"half-open link between {process} and broker",
            count=30,
            few=int(process == "worker"),
            run=hang,
            setup=replace(CALM, links=Link(process, "broker")),
            chunk=10,
        )
    )
