"""A disk that has no room left, at any of the writes of a job's life.

On the embedded stack the whole data directory lies on that disk: SQLite, the broker's log, the logs
of the processes and the files that uploads are kept in meanwhile. On PostgreSQL it is the server's
data directory. Some bytes are left now and then, so that a transaction fails in its middle.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import psutil
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from service.store.datasets import DatasetRow
from service.store.jobs import JobRow
from tests.faults import invariants, jobs
from tests.faults.campaign import Campaign, Trial, register
from tests.faults.stack import Setup, Stack
from tests.waiting import wait_until

SPEC = "seconds"
jobs.SPECS[SPEC] = jobs.SPEC | {"epochs": 120}
LEFT = (0, 0, 0, 4096, 16384, 65536, 262144)
LONGEST_ANSWER_SECONDS = 8.0  # one wait for SQLite's lock, and a busy machine
CSV = "x,z,y\n" + "".join(f"{n},{n % 11},{n % 2}\n" for n in range(150_000))  # more than a spool


@dataclass
class Try:
    """One trial: what is tried on which stack, and what has been seen that should not be."""

    stack: Stack
    rng: random.Random
    key: str
    told: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)  # to what was asked while it was full

    @contextmanager
    def full(self) -> Iterator[None]:
        """The disk is full for the time of the block."""
        with self.stack.room.full(self.rng.choice(LEFT)):
            if self.stack.postgres is not None and self.rng.random() < 0.3:
                _use_up_the_log(self.stack)
            yield
        if self.stack.postgres is not None and not self.stack.postgres.answers():
            with suppress(psutil.NoSuchProcess):  # without room for its log it stops
                self.stack.kill_postgres()
            self.stack.restart_postgres()

    def while_full(self, path: str, **request: Any) -> None:
        """Ask while there is no room: done or told why not, and soon."""
        began = time.monotonic()
        try:
            answer = self.stack.service.client.post(path, headers=self._headers, **request)
        except httpx.TransportError as problem:
            self.told.append(f"POST {path}: {problem!r}")
            return
        self.answers.append(answer.status_code)
        if answer.status_code not in (201, 202, 409, 503):
            self.told.append(f"POST {path}: {answer.status_code} {answer.text}")
        if (seconds := time.monotonic() - began) > LONGEST_ANSWER_SECONDS:
            self.told.append(f"POST {path}: answered after {seconds:.1f} s")

    def patiently(self, path: str, **request: Any) -> dict[str, Any]:
        """Ask as long as it takes."""
        answer = jobs.patiently(self.stack, "POST", path, headers=self._headers, **request)
        if answer.status_code not in (201, 202, 409):
            self.told.append(f"POST {path}: {answer.status_code} {answer.text}")
        found: dict[str, Any] = answer.json()
        return found

    def wait(self) -> None:
        """Let the disk be full for some time."""
        time.sleep(self.rng.uniform(0.3, 3.0))

    @property
    def job(self) -> dict[str, Any]:
        """The body of this trial's job."""
        return jobs.SPECS[SPEC] | {"dataset_id": jobs.dataset(self.stack), "name": self.key}

    @property
    def _headers(self) -> dict[str, str]:
        return {"Idempotency-Key": self.key}


def run(stack: Stack, rng: random.Random, trial: int) -> Trial:
    """Fill the disk around one kind of write, make room again, and see what has become of it."""
    wanted = jobs.undisturbed(stack, SPEC)
    kinds = list(KINDS)
    kind = kinds[trial % len(kinds)]
    this = Try(stack, rng, f"{kind} {trial} {rng.random()}")
    KINDS[kind](this)
    began = time.monotonic()
    wait_until(stack.is_ready, 60, "the API is ready")
    mine = _named(stack, JobRow, this.key)
    rows = jobs.finished(stack, mine) if mine else []
    told = this.told + [
        f"{row.id} {row.status}: {row.error}" for row in rows if row.model_id is None
    ]
    if kind != "upload" and len(mine) != 1:
        told.append(f"one submission made the jobs {mine}")
    told += invariants.check(stack, mine, wanted)
    note = f"{kind}, answers {this.answers}, attempts {[row.attempt for row in rows]}"
    return Trial([f"{kind}: {text}" for text in told], note, time.monotonic() - began)


def _upload(this: Try) -> None:
    request = {"files": {"file": ("many.csv", CSV)}, "data": {"name": this.key}}
    with this.full():
        this.while_full("/v1/datasets", **request)
    this.patiently("/v1/datasets", **request)
    if len(found := _named(this.stack, DatasetRow, this.key)) != 1:
        this.told.append(f"one upload made the datasets {found}")


def _submit(this: Try) -> None:
    body = this.job
    with this.full():
        for _ in range(3):
            this.while_full("/v1/jobs", json=body)
        this.wait()
    this.patiently("/v1/jobs", json=body)


def _claim(this: Try) -> None:
    trainers = this.stack.children()
    _signal(trainers, signal.SIGSTOP)
    try:
        this.patiently("/v1/jobs", json=this.job)
        with this.full():
            _signal(trainers, signal.SIGCONT)
            this.wait()
    finally:
        _signal(trainers, signal.SIGCONT)


def _train(this: Try) -> None:
    job = this.patiently("/v1/jobs", json=this.job)["id"]
    jobs.becomes(this.stack, job, "running")
    time.sleep(this.rng.uniform(0, 0.8))
    with this.full():
        this.wait()


def _finish(this: Try) -> None:
    job = this.patiently("/v1/jobs", json=this.job)["id"]
    steps = this.rng.uniform(0.7, 1.0)
    wait_until(lambda: _far(this.stack, job, steps), 60, "the job is nearly done")
    with this.full():
        this.wait()


def _pause(this: Try) -> None:
    job = this.patiently("/v1/jobs", json=this.job)["id"]
    jobs.becomes(this.stack, job, "running")
    with this.full():
        this.while_full(f"/v1/jobs/{job}/pause")
        this.wait()
    this.patiently(f"/v1/jobs/{job}/pause")
    wait_until(lambda: _rests(this.stack, job), 60, "the job is paused or final")
    this.patiently(f"/v1/jobs/{job}/resume")


KINDS: dict[str, Callable[[Try], None]] = {
    "upload": _upload,
    "submit": _submit,
    "claim": _claim,
    "epoch and checkpoint": _train,
    "finish": _finish,
    "pause": _pause,
}


def _use_up_the_log(stack: Stack) -> None:
    """Make PostgreSQL ask for room for its log, without which it gives up and stops."""
    with suppress(DBAPIError):
        for _ in range(4):
            with stack.database.writing() as session:
                session.execute(text("SELECT pg_logical_emit_message(true, 'room', 'wanted')"))
                session.execute(text("SELECT pg_switch_wal()"))


def _signal(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _far(stack: Stack, job: str, part: float) -> bool:
    (row,) = jobs.rows(stack, [job])
    return row.finished_at is not None or row.step >= part * row.steps


def _rests(stack: Stack, job: str) -> bool:
    (row,) = jobs.rows(stack, [job])
    return row.status == "paused" or row.finished_at is not None


def _named(stack: Stack, table: type[JobRow] | type[DatasetRow], name: str) -> list[str]:
    with stack.database.reading() as session:
        return list(session.scalars(select(table.id).where(table.name == name)))


register(
    Campaign(
        name="disks",
        title="a full disk at each kind of write",
        count=60,
        few=0,
        run=run,
        setup=Setup(room=256),
        chunk=20,
    )
)
