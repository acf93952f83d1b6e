"""A worker that stands still beyond its lease, is replaced, and then goes on as if nothing was."""

from __future__ import annotations

import random
import time
from contextlib import suppress

import psutil

from service.store.jobs import JobRow
from tests.faults import invariants, jobs
from tests.faults.campaign import Campaign, Trial, register
from tests.faults.stack import Stack
from tests.waiting import wait_until

SPEC = "long"
# One that stopped in the middle of a write keeps its lock; nobody can replace it meanwhile.
LOCKED_SECONDS = 6.0
LOST = "the job is no longer ours"


def run(stack: Stack, rng: random.Random, trial: int) -> Trial:
    """Stop the holder at any instant; let it go on while its successor trains, or afterwards."""
    wanted = jobs.undisturbed(stack, SPEC)
    job = jobs.submit(stack, SPEC)
    row = _taken(stack, job)
    time.sleep(rng.uniform(0, 1.2))
    holder = psutil.Process(_pid(row))
    holder.suspend()
    told_before = _told(stack)
    held = jobs.rows(stack, [job])[0].token == row.token
    began = time.monotonic()
    try:
        replaced = _replaced(stack, job)
        took = time.monotonic() - began
        late = rng.random() < 0.5
        if replaced and late:
            jobs.finished(stack, [job])
        elif replaced:
            time.sleep(rng.uniform(0, 0.8))
    finally:
        with suppress(psutil.NoSuchProcess):
            holder.resume()
    (done,) = jobs.finished(stack, [job])
    violations = [] if done.status == "succeeded" else [f"{job} {done.status}: {done.error}"]
    if replaced and held:
        wait_until(lambda: _told(stack) > told_before, 20, "the stale worker sees that it is", 0.1)
    violations += invariants.check(stack, [job], wanted)
    if done.attempt > 1 and not replaced:
        replaced = True  # once the lock was free
    how = ("late" if late else "amid") if replaced else "not replaced"
    return Trial(violations, f"{how}, attempts {done.attempt}", took if replaced else None)


def _taken(stack: Stack, job: str) -> JobRow:
    def held() -> JobRow | None:
        (row,) = jobs.rows(stack, [job])
        return row if row.worker else None

    row = wait_until(held, 30, f"{job} is claimed", 0.01)
    assert row is not None
    return row


def _replaced(stack: Stack, job: str) -> bool:
    """Whether another attempt took over; not if the job had ended, or a lock is kept."""

    def another() -> bool:
        (row,) = jobs.rows(stack, [job])
        return row.attempt > 1 or row.status == "succeeded"

    with suppress(AssertionError):
        wait_until(another, LOCKED_SECONDS, "another attempt", 0.05)
    return jobs.rows(stack, [job])[0].attempt > 1


def _pid(row: JobRow) -> int:
    return int(str(row.worker).rpartition(":")[2])


def _told(stack: Stack) -> int:
    """How often workers have said that a job is no longer theirs."""
    logs = [*stack.data_dir.glob("worker-*.log"), *stack.data_dir.glob("logs/worker.log")]
    return sum(log.read_text(errors="replace").count(LOST) for log in logs)


register(
    Campaign(
        name="stale",
        title="SIGSTOP beyond the lease, takeover, SIGCONT",
        count=100,
        run=run,
    )
)
