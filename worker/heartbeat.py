"""Keeps a claim alive from a thread of its own while the run computes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import NoReturn, Self, TypeVar

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from service.errors import LeaseLost
from service.settings import Settings
from service.store import leases
from service.store.database import Database
from service.store.epochs import EpochReport
from service.store.leases import Claim, Progress, Wishes

Result = TypeVar("Result")
RETRY_SECONDS = 0.2
# What waiting can mend; any other error of the database would come again.
DATABASE_GONE = (OperationalError, InterfaceError, PoolTimeoutError)
RECORD_SECONDS = 0.25  # epochs that end within it are written together
# A worker stops itself this part of a lease before others may take over: clocks drift, and a step
# that has begun still has to end.
SAFETY = 0.2

_log = structlog.get_logger(__name__)


class CancelRequested(Exception):
    """The owner wants the job to stop."""


class PauseRequested(Exception):
    """The owner wants the job to stand still."""


class WorkerStopping(Exception):
    """The worker was told to stop; the job goes back to the queue."""


class BudgetExceeded(Exception):
    """The run took longer than its `budget_seconds`."""


class Heartbeat:
    """A claim that is held: renewed by a thread, checked between steps, written through."""

    def __init__(
        self, database: Database, claim: Claim, settings: Settings, stopping: Callable[[], bool]
    ) -> None:
        self.claim = claim
        self._database = database
        self._settings = settings
        self._stopping = stopping
        self._began = time.monotonic()
        self._held_until = self._began + settings.lease_seconds * (1 - SAFETY)
        self._progress: Progress | None = None
        self._epochs: list[EpochReport] = []
        self._recorded = self._began
        self._wishes = Wishes()
        self._told_to_stop = False
        self._lost: LeaseLost | None = None
        self._over = threading.Event()
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

    def report(self, epoch: int, step: int) -> None:
        """Say how far the run is; the next beat writes it."""
        self._progress = Progress(epoch, step, self.elapsed_ms)

    def check(self) -> None:
        """Raise what should end the run: call it between steps."""
        if self._lost is not None:
            raise self._lost
        if time.monotonic() > self._held_until:
            raise LeaseLost(f"job {self.claim.job_id}: the lease could not be renewed in time")
        if self._wishes.cancel:
            raise CancelRequested
        budget = self.claim.spec["budget_seconds"]
        if budget is not None and self.elapsed_ms > budget * 1000:
            raise BudgetExceeded

    @property
    def asked_to_rest(self) -> bool:
        """Whether the run should save its state and call `rest`."""
        return self._wishes.pause or self._told_to_stop

    def rest(self) -> NoReturn:
        """Raise what made the run save its state."""
        raise PauseRequested if self._wishes.pause else WorkerStopping

    def checkpoint(self, step: int, state: bytes) -> None:
        """Keep the state, with the epochs that lead up to it."""

        def keep(session: Session) -> None:
            leases.record_epochs(session, self.claim, self._epochs)
            leases.checkpoint(session, self.claim, step, state)

        self.write(keep)
        self._epochs.clear()

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

    def finish(self, action: Callable[[Session], None]) -> None:
        """Write what ends the job, with the epochs that no beat has written yet."""
        self._over.set()
        self._thread.join()

        def finish(session: Session) -> None:
            leases.record_epochs(session, self.claim, self._epochs)
            action(session)

        self.write(finish)

    def write(self, action: Callable[[Session], Result]) -> Result:
        """Run `action` in a transaction, again while the database fails and the lease holds."""
        while True:
            try:
                with self._database.writing() as session:
                    return action(session)
            except DATABASE_GONE as problem:
                if time.monotonic() > self._held_until:
                    raise
                _log.warning("write failed; trying again", error=str(problem))
                time.sleep(RETRY_SECONDS)

    def _beat(self) -> None:
        while not self._over.wait(self._settings.heartbeat_seconds):
            began = time.monotonic()
            progress = self._progress
            self._told_to_stop = self._stopping()
            try:
                with self._database.writing() as session:
                    self._wishes = leases.beat(
                        session, self.claim, self._settings.lease_seconds, progress
                    )
                self._held_until = began + self._settings.lease_seconds * (1 - SAFETY)
                if self._progress is progress:
                    self._progress = None
            except LeaseLost as lost:
                self._lost = lost
                return
            except SQLAlchemyError as problem:
                _log.warning("heartbeat failed; trying again", error=str(problem))
