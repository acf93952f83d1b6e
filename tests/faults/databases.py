"""PostgreSQL that is killed, and links to it that hang, while clients never let go of the API."""

from __future__ import annotations

import random
import time

from sqlalchemy import func, select

from service.store.jobs import JobRow
from tests.faults import invariants, jobs
from tests.faults.campaign import Campaign, Trial, register
from tests.faults.hammer import Hammer
from tests.faults.links import Link, link_of
from tests.faults.rings import RECOVERY_SECONDS
from tests.faults.stack import Setup, Stack
from tests.waiting import wait_until

# Long enough that only the outage takes jobs from their workers, not a machine that is busy.
LEASE = {"GRADSERVE_LEASE_SECONDS": "6"}


def kill(stack: Stack, rng: random.Random, _trial: int) -> Trial:
    """Kill the server and all of its processes, and start it on what it left."""
    ready(stack)
    down = rng.uniform(0, 1.5)
    with Hammer(stack, rng) as clients:
        time.sleep(rng.uniform(0, 0.6))
        stack.kill_postgres()
        began = time.monotonic()
        time.sleep(down)
        stack.restart_postgres()
        wait_until(stack.is_ready, RECOVERY_SECONDS, "the API is ready again", 0.05)
        seconds = time.monotonic() - began
    return settled(stack, clients, f"down for {down:.1f} s", seconds)


def hang(stack: Stack, rng: random.Random, _trial: int) -> Trial:
    """Let the link hang, with clients that submit before, meanwhile and afterwards."""
    ready(stack)
    link = link_of(stack)
    with Hammer(stack, rng) as clients:
        time.sleep(rng.uniform(0, 0.6))
        began = time.monotonic()
        hung = link.hang(rng)
        wait_until(stack.is_ready, RECOVERY_SECONDS, "the API is ready again", 0.05)
    trial = settled(stack, clients, hung, 0.0)
    trial.recovery_seconds = time.monotonic() - began
    link.forget()
    return trial


def ready(stack: Stack) -> None:
    """A job that nothing happens to first, for comparison; and the dataset of the others."""
    jobs.undisturbed(stack, "short")


def settled(stack: Stack, clients: Hammer, note: str, seconds: float) -> Trial:
    """What the clients were answered, and whether all that was accepted is there and right."""
    accepted = clients.jobs
    rows = jobs.finished(stack, accepted, RECOVERY_SECONDS)
    told = clients.violations + [
        f"{row.id} {row.status}: {row.error}" for row in rows if row.status != "succeeded"
    ]
    told += once_each(stack, clients.accepted)
    told += invariants.check(stack, accepted, jobs.undisturbed(stack, "short"))
    attempts = max(row.attempt for row in rows)
    return Trial(told, f"{note}; {clients.note()}, at most {attempts} attempts", seconds)


def once_each(stack: Stack, accepted: dict[str, str]) -> list[str]:
    """Keys, which are the jobs' names too, with more or less than one job."""
    query = select(JobRow.name, func.count()).where(JobRow.name.in_(accepted)).group_by(JobRow.name)
    with stack.database.reading() as session:
        counts = {row[0]: row[1] for row in session.execute(query)}
    return [f"{key} has {counts.get(key, 0)} jobs" for key in accepted if counts.get(key) != 1]


register(
    Campaign(
        name="database-kills",
        title="PostgreSQL killed (`kill -9`) and restarted under load",
        count=100,
        few=1,
        run=kill,
        kinds=("postgresql",),
        setup=Setup(environment=LEASE),
    )
)
for process in ("api", "worker"):
    register(
        Campaign(
            name=f"half-open-{process}-database",
            title=f"half-open link between {process} and PostgreSQL",
            count=30,
            few=int(process == "worker"),
            run=hang,
            kinds=("postgresql",),
            setup=Setup(environment=LEASE, links=Link(process, "database")),
            chunk=10,
        )
    )
