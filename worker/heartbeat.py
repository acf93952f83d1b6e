"""Keeps a claim alive from a thread of its own while the run computes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from math import inf
from types import TracebackType
from typing import Self, TypeVar

import structlog
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from service.errors import LeaseLost
from service.settings import Settings
from service.store import leases
from service.store.checkpoints import Progress
from service.store.database import Database
from service.store.epochs import EpochReport
from service.store.leases import Claim, Wishes

Result = TypeVar("Result")
RETRY_SECONDS = 0.2
# What waiting can mend; any other error of the database would come again. InternalError: a
# transaction that stood still was ended, or the server is a read-only one at this moment.
DATABASE_GONE = (OperationalError, InterfaceError, InternalError, PoolTimeoutError)
RECORD_SECONDS = 0.25  # epochs that end within it are written together
# A worker stops itself this part of a lease before others may take over: clocks drift, and a step
# that has begun still has to end.
SAFETY = 0.2

_log = structlog.get_logger(__name__)


class CancelRequested(Exception):
    """The owner wants the job to stop."""


class RestRequested(Exception):
    """The owner wants the job to stand still, or the worker was told to stop; its state is kept."""


class BudgetExceeded(Exception):
    """The run took longer than its `budget_seconds`."""


class Heartbeat:
    """A claim that is held: renewed by a thread, checked between steps, written through."""

    def __init__(
        self,
        database: Database,
        claim: Claim,
        settings: Settings,
        stopping: Callable[[], bool],
        give_up: Callable[[], None] = lambda: None,
    ) -> None:
        self.claim = claim
        self._database = database
        self._settings = settings
        self._stopping = stopping
        self._give_up = give_up  # called once a run is over its budget and comes to no step
        self._began = time.monotonic()
        self._earlier_ms = 0
        self._held_until = self._began + settings.lease_seconds * (1 - SAFETY)
        self._progress: Progress | None = None
        self._epochs: list[EpochReport] = []
        self._recorded = self._began
        self._wishes = Wishes()
        self._lost: LeaseLost | None = None
        self.database_failed = False  # when it was last asked
        self._over = threading.Event()
        # The beat must not write a progress that is older than what the run has written meanwhile.
        self._one_writes = threading.Lock()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def checkpoint_seconds(self) -> float:
        """How often the run's state is kept."""
        return self._settings.checkpoint_seconds

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the claim."""
        return round((time.monotonic() - self._began) * 1000)

    def begin(self, at: Progress, *messages: str) -> None:
        """Say where the attempt begins; no write where nothing is new."""
        self._earlier_ms = at.training_ms
        if at != self.claim.reached or messages:
            self.write(lambda session: leases.begin(session, self.claim, at, *messages))

    @property
    def _over_budget_seconds(self) -> float:
        budget = self.claim.spec["budget_seconds"]
        if budget is None:
            return -inf
        return (self.claim.spent_ms + self.elapsed_ms) / 1000 - float(budget)

    def progress(self, epoch: int, step: int) -> Progress:
        """How far the run is, with the time that its steps took in all attempts."""
        return Progress(epoch, step, self._earlier_ms + self.elapsed_ms)

    def report(self, epoch: int, step: int) -> None:
        """Say how far the run is; the next beat writes it."""
        self._progress = self.progress(epoch, step)

    def check(self) -> None:
        """Raise what should end the run: call it between steps."""
        if self._lost is not None:
            raise self._lost
        if time.monotonic() > self._held_until:
            raise LeaseLost(f"job {self.claim.job_id}: the lease could not be renewed in time")
        if self._wishes.cancel:
            raise CancelRequested
        if self._over_budget_seconds > 0:
            raise BudgetExceeded

    @property
    def asked_to_rest(self) -> bool:
        """Whether the run should keep its state and end with RestRequested."""
        return self._wishes.pause or self._stopping()

    def checkpoint(self, at: Progress, state: bytes) -> None:
        """Keep the state, with the epochs that lead up to it."""

        def keep(session: Session) -> None:
            leases.record_epochs(session, self.claim, self._epochs)
            leases.checkpoint(session, self.claim, at, state)

        self.write(keep)
        self._epochs.clear()
        self._recorded = time.monotonic()

    def record(self, report: EpochReport) -> None:
        """Add an epoch to the history: at once, or with the next ones where epochs are short.

        Written by the training thread: a second thread that writes many rows waits for the
        interpreter's lock at each of them, and holds SQLite's lock meanwhile.
        """
        self._epochs.append(report)
        if time.monotonic() - self._recorded >= RECORD_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write the epochs that wait."""
        self.write(lambda session: leases.record_epochs(session, self.claim, self._epochs))
        self._epochs.clear()
        self._recorded = time.monotonic()

    def finish(self, action: Callable[[Session], Result]) -> Result:
        """Write what ends the job, with the epochs that no beat has written yet."""
        self._over.set()
        self._thread.join()

        def finish(session: Session) -> Result:
            leases.record_epochs(session, self.claim, self._epochs)
            return action(session)

        return self.write(finish)

    def write(self, action: Callable[[Session], Result]) -> Result:
        """Run `action` in a transaction, again while the database fails and the lease holds."""
        return self._again(self._database.writing, action)

    def read(self, action: Callable[[Session], Result]) -> Result:
        """Like `write` for what only reads, which keeps no writer waiting."""
        return self._again(self._database.reading, action)

    def _again(
        self,
        transaction: Callable[[], AbstractContextManager[Session]],
        action: Callable[[Session], Result],
    ) -> Result:
        while True:
            try:
                with self._one_writes, transaction() as session:
                    return action(session)
            except DATABASE_GONE as problem:
                self.database_failed = True
                if time.monotonic() > self._held_until:
                    raise
                _log.warning("the database failed; trying again", error=str(problem))
                time.sleep(RETRY_SECONDS)

    def _beat(self) -> None:
        while not self._over.wait(self._settings.heartbeat_seconds):
            began = time.monotonic()
            try:
                with self._one_writes, self._database.writing() as session:
                    progress = self._progress
                    self._wishes = leases.beat(
                        session, self.claim, self._settings.lease_seconds, progress
                    )
                self._held_until = began + self._settings.lease_seconds * (1 - SAFETY)
                self.database_failed = False
                if self._progress is progress:
                    self._progress = None
            except LeaseLost as lost:
                self._lost = lost
                return
            except (SQLAlchemyError, MemoryError) as problem:
                self.database_failed = isinstance(problem, DATABASE_GONE)
                _log.warning("heartbeat failed; trying again", error=str(problem))
            # A step that has begun may still come to its end; one that hangs never does.
            if self._over_budget_seconds > self._settings.lease_seconds:
                self._give_up()
