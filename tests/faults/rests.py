"""Cancel and pause in every state: honoured within two seconds, or the job is final already."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from service.store.transitions import FINAL
from tests.faults import invariants, jobs
from tests.faults.campaign import Campaign, Trial, register
from tests.faults.stack import Stack

SPEC = "second"
HONOURED_SECONDS = 2.0
SETTLED_SECONDS = 4.0  # of a job whose worker is dead: its lease of 2 s has to end first
VERBS = {"cancel": "cancelled", "pause": "paused"}
STATES = ("queued", "beginning", "running", "paused", "resuming", "dead", "cancelling", *FINAL)


def run(stack: Stack, rng: random.Random, trial: int) -> Trial:
    """Bring a job into a state, ask for a rest, and see it honoured."""
    wanted = jobs.undisturbed(stack, SPEC)
    verb = ("cancel", "pause")[trial % 2]
    state = str(STATES[trial // 2 % len(STATES)])
    with _brought(stack, rng, state) as job:
        before = jobs.rows(stack, [job])[0].status
        began = time.monotonic()
        answer = stack.service.client.post(f"/v1/jobs/{job}/{verb}")
        violations = _answered(answer.status_code, verb, before)
        limit = SETTLED_SECONDS if state == "dead" else HONOURED_SECONDS
        status = _rests(stack, job, VERBS[verb], began + limit)
        took = time.monotonic() - began
        if status not in (VERBS[verb], *FINAL):
            violations.append(f"{job}: {verb} when {state} ({before}), after {limit} s {status}")
    if jobs.rows(stack, [job])[0].status == "paused":
        stack.service.post(f"/v1/jobs/{job}/resume", 202)
    (done,) = jobs.finished(stack, [job])
    violations += invariants.check(stack, [job], wanted)
    note = f"{verb} when {state} ({before}): {status}, then {done.status}"
    return Trial(violations, note, took)


@contextmanager
def _brought(stack: Stack, rng: random.Random, state: str) -> Iterator[str]:
    """A job in a state; what keeps others from it ends with the block."""
    fillers: list[str] = []
    if state == "queued":
        fillers = [jobs.submit(stack, "endless", priority=5) for _ in stack.children()]
        for filler in fillers:
            jobs.becomes(stack, filler, "running")
    job = jobs.submit(stack, "endless" if state == "failed" else SPEC, **_more(state))
    try:
        _bring(stack, rng, state, job)
        yield job
    finally:
        for filler in fillers:
            stack.service.post(f"/v1/jobs/{filler}/cancel", 202)
        if fillers:
            jobs.finished(stack, fillers)


def _more(state: str) -> dict[str, object]:
    return {"budget_seconds": 0.2} if state == "failed" else {}


def _bring(stack: Stack, rng: random.Random, state: str, job: str) -> None:
    path = f"/v1/jobs/{job}"
    if state == "beginning":
        time.sleep(rng.uniform(0, 0.1))
    elif state in FINAL:
        if state == "cancelled":
            stack.service.post(f"{path}/cancel", 202)
        jobs.finished(stack, [job])
    elif state != "queued":
        jobs.becomes(stack, job, "running")
        time.sleep(rng.uniform(0, 0.3))
    if state in ("paused", "resuming"):
        stack.service.client.post(f"{path}/pause")
        _rests(stack, job, "paused", time.monotonic() + 10)
    if state == "resuming":
        stack.service.client.post(f"{path}/resume")
    elif state == "cancelling":
        stack.service.post(f"{path}/cancel", 202)
    elif state == "dead":
        _kill_holder(stack, job)


def _kill_holder(stack: Stack, job: str) -> None:
    (row,) = jobs.rows(stack, [job])
    for child in stack.children():
        if row.status == "running" and str(child.pid) == str(row.worker).rpartition(":")[2]:
            child.kill()


def _rests(stack: Stack, job: str, wanted: str, until: float) -> str:
    """The job's status once it is the wanted one or final, or at the deadline."""
    while True:
        status = jobs.rows(stack, [job])[0].status
        if status == wanted or status in FINAL or time.monotonic() > until:
            return str(status)
        time.sleep(0.02)


def _answered(code: int, verb: str, before: str) -> list[str]:
    """A rest is accepted; a final job cannot be paused."""
    allowed = {202} if verb == "cancel" else {409} if before in FINAL else {202, 409}
    return [] if code in allowed else [f"{verb} of a {before} job is answered with {code}"]


register(
    Campaign(
        name="rests",
        title="cancel and pause in every state",
        count=200,
        few=4,
        run=run,
        chunk=50,
    )
)
