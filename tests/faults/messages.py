"""The same message again and again: a job is executed once, however often it is rung for."""

from __future__ import annotations

import random

from service.broker import QUEUE, Bell
from tests.faults import invariants, jobs, rings
from tests.faults.campaign import Campaign, Trial, register
from tests.faults.rings import LONG_LEASE, socket_of
from tests.faults.stack import Kind, Setup, Stack
from tests.waiting import wait_until

JOBS = 25  # of a trial
TIMES = 100
DRAIN_SECONDS = 300.0


def run(stack: Stack, rng: random.Random, _trial: int) -> Trial:
    """Submit jobs and deliver each one's message a hundred times to four trainers, mixed."""
    wanted = jobs.undisturbed(stack, "short")
    mine = [jobs.submit(stack, "short") for _ in range(JOBS)]
    messages = _messages(stack, mine) * TIMES
    rng.shuffle(messages)
    with rings.client(stack) as broker:
        broker.lpush(QUEUE, *messages)
    jobs.finished(stack, mine, DRAIN_SECONDS)
    wait_until(lambda: rings.queued(stack) == 0, DRAIN_SECONDS, "every message is taken", 0.1)
    counts = invariants.executions(stack, mine)
    told = [f"{job} was executed {n} times" for job, n in counts.items() if n != 1]
    told += invariants.check(stack, mine, wanted)
    return Trial(told, f"{sum(counts.values())} executions of {len(mine)} jobs")


def _messages(stack: Stack, mine: list[str]) -> list[bytes]:
    """The very bytes that ring for each job: rung for in a room where nobody listens."""
    if stack.broker_url:
        url = stack.broker_url.removesuffix("/0") + "/1"
    else:
        url = f"redis+socket://{socket_of(stack.data_dir)}?virtual_host=1"
    bell = Bell(url)
    with rings.client(stack) as broker:
        broker.select(1)
        assert all(bell.ring(job) for job in mine)
        found: list[bytes] = broker.lrange(QUEUE, 0, -1)
        broker.delete(QUEUE)
    bell.close()
    assert len(found) == len(mine)
    return found


# Four trainers: of one worker, as `gradserve up` has them, and of four workers.
SETUPS: dict[Kind, Setup] = {
    "embedded": Setup(environment={**LONG_LEASE, "GRADSERVE_WORKERS": "4"}),
    "postgresql": Setup(environment={**LONG_LEASE, "GRADSERVE_WORKERS": "1"}, workers=4),
}
for kind, setup in SETUPS.items():
    register(
        Campaign(
            name=f"messages-{kind}",
            title=f"each message {TIMES} times to 4 trainers, {JOBS} jobs a trial",
            count=500 // JOBS,
            few=int(kind == "embedded"),
            run=run,
            kinds=(kind,),
            setup=setup,
            chunk=10,
        )
    )
