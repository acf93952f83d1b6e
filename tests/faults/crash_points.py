"""A process kills itself before or after each write, commit, message and task of a job's life.

The points are found by letting the scenarios run once while every process notes where it comes by
(`crashing`); then each trial runs a scenario again, and the process that comes to the trial's point
is gone there. Clients repeat what was not answered, with their Idempotency-Key.
"""

from __future__ import annotations

import fcntl
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from service.store.jobs import JobRow
from tests.faults import crashing, invariants, jobs, results
from tests.faults.campaign import Campaign, Trial, register
from tests.faults.crashing import Plan, Point
from tests.faults.stack import Setup, Stack
from tests.waiting import wait_until

SPEC = "second"
# Beats, sweeps and checkpoints come again and again: from the third on nothing is new.
ORDINALS = 2
ATTEMPTS = 6  # a machine that is busy with many stacks may lose a lease as well
TRIES = 3  # a point of a beat may be missed when a run happens to be faster

# A regression whose steps overshoot until its numbers end.
STEEP: dict[str, Any] = {
    "target": "z",
    "network": {"layers": [{"type": "dense", "units": 1}]},
    "loss": "mean_squared_error",
    "metrics": [],
    "optimizer": {"type": "sgd", "learning_rate": 1e10},
}

Act = Callable[[Stack, str], str]


@dataclass(frozen=True)
class Scenario:
    """What a client does, what it ends in, and the crashes that make the rest of it happen."""

    act: Act
    ends: str = "succeeded"
    before: tuple[Point, ...] = ()
    roles: tuple[str, ...] = ("api", "parent", "child")  # whose points are tried
    all: bool = False  # those of an undisturbed job, too


def _submit(stack: Stack, key: str, **more: Any) -> str:
    """Upload and submit as a careful client does; the job's id."""
    data = {"rows": jobs.ROWS, "name": key}
    dataset = _post(stack, "/v1/datasets", key, json=data)["id"]
    spec = jobs.SPECS[SPEC] | {"dataset_id": dataset, "name": key} | more
    return str(_post(stack, "/v1/jobs", key, json=spec)["id"])


def _post(stack: Stack, path: str, key: str, **request: Any) -> dict[str, Any]:
    headers = {"Idempotency-Key": f"{key} {path}"}
    began = time.monotonic()
    while True:
        answer = jobs.patiently(stack, "POST", path, headers=headers, **request)
        if answer.status_code != 409 or time.monotonic() > began + jobs.FINISH_SECONDS:
            break
        time.sleep(float(answer.headers["Retry-After"]))  # the first one is still worked on
    assert answer.status_code in (201, 202), f"{path}: {answer.status_code} {answer.text}"
    found: dict[str, Any] = answer.json()
    return found


def _pause_and_resume(stack: Stack, key: str) -> str:
    job = _submit(stack, key)
    _wait_for(stack, job, "running")
    jobs.patiently(stack, "POST", f"/v1/jobs/{job}/pause")
    _wait_for(stack, job, "paused")
    jobs.patiently(stack, "POST", f"/v1/jobs/{job}/resume")
    return job


def _cancel(stack: Stack, key: str) -> str:
    job = _submit(stack, key, epochs=1_000_000)
    _wait_for(stack, job, "running")
    jobs.patiently(stack, "POST", f"/v1/jobs/{job}/cancel")
    return job


def _diverge(stack: Stack, key: str) -> str:
    return _submit(stack, key, **STEEP)


def _wait_for(stack: Stack, job: str, status: str) -> None:
    """Until it is so, or until the job is final and will not be so any more."""
    wanted = (status, "succeeded", "failed", "cancelled")
    wait_until(lambda: jobs.rows(stack, [job])[0].status in wanted, 60, f"{job} is {status}")


CLAIM = Point("child", "after the commit that ends with leases.claim_next: INSERT job_events", 1)
CHECKPOINT = Point(
    "child", "after the commit that ends with leases.checkpoint: INSERT job_checkpoints", 1
)
UNRUNG = Point("api", "before publishing", 1)
SCENARIOS = {
    "a job": Scenario(_submit),
    "a job nobody rang for": Scenario(_submit, before=(UNRUNG,), roles=("parent", "child")),
    "a job that goes on": Scenario(_submit, before=(CHECKPOINT,), roles=("child",), all=True),
    "pause and resume": Scenario(_pause_and_resume),
    "cancel": Scenario(_cancel, ends="cancelled"),
    "a job that fails": Scenario(_diverge, ends="failed", roles=("child",)),
    "a job of dying workers": Scenario(_submit, "failed", (CLAIM,) * ATTEMPTS, ("parent",)),
}
# For the small share of the tests, which has no time to look for all points.
KNOWN = (("a job", UNRUNG), ("a job", CHECKPOINT))


def run(stack: Stack, rng: random.Random, trial: int) -> Trial:
    """Crash at one of the points; where there are fewer than trials, some come again."""
    wanted = jobs.undisturbed(stack, SPEC)
    if trial < len(KNOWN):
        (name, point), found = KNOWN[trial], ""
    else:
        known = points(stack)
        name, point = known[(trial - len(KNOWN)) % len(known)]
        found = f"; {len(known)} points"
    scenario = SCENARIOS[name]
    for _ in range(TRIES):
        key = f"{trial} {rng.random()}"
        with _plan(stack, Plan(key, (*scenario.before, point))) as seen:
            told = _carry_out(stack, scenario, key)
            ended_at = time.time()
        told += invariants.check(
            stack, _named(stack, key), wanted if scenario.ends == "succeeded" else None
        )
        if told or seen.died[-1:] == [point]:
            break
    else:
        told = [f"not reached in {TRIES} tries"]
    note = f"{name}, {point}{found}"
    recovery = ended_at - seen.died_at if seen.died else None
    return Trial([f"{note}: {text}" for text in told], note, recovery)


@contextmanager
def _plan(stack: Stack, plan: Plan) -> Iterator[crashing.Seen]:
    """The plan for the time of the block; what came of it is known when the block has ended."""
    seen = crashing.Seen()
    plan.write(stack.data_dir)
    try:
        yield seen
    finally:
        vars(seen).update(vars(crashing.look(stack.data_dir)))
        crashing.clear(stack.data_dir)


def _carry_out(stack: Stack, scenario: Scenario, key: str) -> list[str]:
    job = scenario.act(stack, key)
    (row,) = jobs.finished(stack, [job])
    told = []
    if row.status != scenario.ends:
        told.append(f"{job} is {row.status} ({row.error}), not {scenario.ends}")
    if (mine := _named(stack, key)) != [job]:
        told.append(f"one submission made the jobs {mine}")
    return told


def _named(stack: Stack, name: str) -> list[str]:
    with stack.database.reading() as session:
        return list(session.scalars(select(JobRow.id).where(JobRow.name == name)))


def points(stack: Stack) -> list[tuple[str, Point]]:
    """Every point of every scenario; found once for a kind of stack and a state of the code."""
    file = results.LOG.parent / f"crash-points-{stack.kind}-{results.code_sha256()}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as shared:
        fcntl.flock(shared, fcntl.LOCK_EX)
        shared.seek(0)
        text = shared.read()
        if not text:
            text = json.dumps([(name, asdict(point)) for name, point in _find_all(stack)], indent=1)
            shared.write(text)
    return [(name, Point(**each)) for name, each in json.loads(text)]


def _find_all(stack: Stack) -> list[tuple[str, Point]]:
    """Those of the first scenario, and of each other one what it has besides."""
    usual = set(find(stack, "a job"))
    found = [("a job", point) for point in sorted(usual)]
    for name, scenario in SCENARIOS.items():
        if name != "a job":
            passed = find(stack, name)
            found += [(name, each) for each in passed if scenario.all or each not in usual]
    return found


def find(stack: Stack, name: str) -> list[Point]:
    """The points that two runs of a scenario both come by, after the crashes that make it."""
    scenario = SCENARIOS[name]
    passed = []
    for number in range(2):
        key = f"{name} {number} {time.time()}"
        with _plan(stack, Plan(key, scenario.before, records=True)) as seen:
            told = _carry_out(stack, scenario, key)
        assert not told, told
        passed.append(set(seen.passed))
    return sorted(
        point
        for point in passed[0] & passed[1]
        if point.ordinal <= ORDINALS and point.role in scenario.roles
    )


register(
    Campaign(
        name="crash_points",
        title="a crash before or after each write, commit, message and task",
        count=200 + len(KNOWN),
        few=len(KNOWN),
        run=run,
        setup=Setup(
            environment={
                "GRADSERVE_MAX_ATTEMPTS": str(ATTEMPTS),
                "GRADSERVE_CHECKPOINT_SECONDS": "0.05",  # several in each job, however quick it is
            },
            wrapper="tests.faults.crashing",
        ),
    )
)
