"""Whether lists, looks, claims and sweeps stay as quick when there are very many jobs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from benchmarks.jobs.calls import timed
from benchmarks.jobs.figures import Goal
from benchmarks.jobs.filling import fill
from benchmarks.jobs.plans import plan
from benchmarks.report import aligned, percentile
from benchmarks.training.results import Results
from service.app import create_app
from service.settings import Settings
from service.store import events, leases
from service.store.database import Database
from service.store.jobs import JobRow
from service.store.migrate import upgrade
from service.store.sweep import sweep
from service.store.tenants import DEFAULT_TENANT
from tests.servers.postgres import start_postgres

CASE = "growth"
SIZES = (100, 1_000, 10_000, 100_000)
ROUNDS, SAMPLES = 4, 15
FLAT_FACTOR = 1.5
NOBODY = "redis+socket:///nobody/listens.sock"

Operation = Callable[[], Any]
Fresh = Callable[[], str]  # gives the URL of a database of its own, each time


class _Undone(Exception):
    """Raised to roll back."""


def measure_sqlite(results: Results) -> None:
    """From the fewest jobs to the most."""
    _measure(results, "sqlite", _sqlite)


def measure_postgresql(results: Results) -> None:
    """The same on a server of its own."""
    _measure(results, "postgresql", _postgresql)


def _measure(
    results: Results, name: str, place: Callable[[], AbstractContextManager[Fresh]]
) -> None:
    with place() as fresh_url:
        found = _grow(fresh_url)
    results.keep("jobs", CASE, {**results.read("jobs").get(CASE, {}), name: found})


def goals(found: dict[str, Any]) -> list[Goal]:
    """For each database: the operation that grew most."""
    goals = []
    for name, kind in found.items():
        growths = {what: _growth(times) for what, times in kind["ms"].items()}
        worst = max(growths, key=lambda what: growths[what])
        flat = f"{SIZES[-1]:,} jobs beside {SIZES[0]}, {name}, the most grown ({worst})"
        goals.append(Goal(flat, growths[worst], "times", "<=", FLAT_FACTOR))
        scans = sum(bool(plan["scans"]) for plan in kind["plans"].values())
        goals.append(
            Goal(f"what reads or sorts a whole table, {name}", scans, "operations", "<=", 0)
        )
    return goals


def section(found: dict[str, Any]) -> str:
    """A table for each database."""
    tables = []
    for name, kind in found.items():
        rows = [[name, *(f"{size:,}" for size in SIZES), "by index"]]
        for what, times in kind["ms"].items():
            plan = kind["plans"][what]
            told = ", ".join(plan["indexes"] + plan["scans"])
            rows.append([what, *(f"{times[str(size)]:.2f}" for size in SIZES), told])
        tables.append(aligned(rows))
    return "\n\n".join(tables)


def _growth(times: dict[str, float]) -> float:
    return times[str(SIZES[-1])] / times[str(SIZES[0])]


@contextmanager
def _sqlite() -> Iterator[Fresh]:
    with tempfile.TemporaryDirectory(prefix="gradserve-bench-") as folder:
        names = (f"sqlite+pysqlite:///{Path(folder) / f'{n}.db'}" for n in count())
        yield lambda: next(names)


@contextmanager
def _postgresql() -> Iterator[Fresh]:
    cluster = start_postgres()
    try:
        yield lambda: cluster.url(cluster.create_database())
    finally:
        cluster.process.stop()


def _grow(fresh_url: Fresh) -> dict[str, Any]:
    """The best median of some rounds, each of which goes through all sizes."""
    with ExitStack() as stack:
        sizes = {size: stack.enter_context(_filled(fresh_url(), size)) for size in SIZES}
        rounds = [
            {size: {what: _median(each) for what, each in operations.items()}}
            for _ in range(ROUNDS)
            for size, (operations, _) in sizes.items()
        ]
        operations, engines = sizes[SIZES[-1]]
        plans = {what: plan(engines, operation) for what, operation in operations.items()}
    times = {
        what: {
            str(size): min(each[size][what] for each in rounds if size in each) for size in SIZES
        }
        for what in operations
    }
    return {"ms": times, "plans": plans}


@contextmanager
def _filled(url: str, size: int) -> Iterator[tuple[dict[str, Operation], list[Engine]]]:
    upgrade(url)
    fill(url, size)
    with operations_of(url) as found:
        yield found


@contextmanager
def operations_of(url: str) -> Iterator[tuple[dict[str, Operation], list[Engine]]]:
    """What is timed on a database, and what its statements run on."""
    settings = Settings(database_url=url, broker_url=NOBODY)
    database = Database(url)
    with TestClient(create_app(settings)) as client:
        app_database: Database = client.app.state.database  # type: ignore[attr-defined]  # FastAPI's
        operations = _requests(client, database) | _transactions(database, settings)
        yield operations, [database.engine, app_database.engine]
    database.dispose()


def _median(operation: Operation) -> float:
    operation()
    return round(percentile([timed(operation)[0] for _ in range(SAMPLES)], 50), 3)


def _requests(client: TestClient, database: Database) -> dict[str, Operation]:
    oldest = select(JobRow.id).order_by(JobRow.id)
    with database.reading() as session:
        newest = session.scalar(select(func.max(JobRow.id)))
        last_page = session.scalars(oldest.limit(21)).all()[-1]

    def get(path: str) -> Operation:
        return lambda: client.get(path).raise_for_status()

    return {
        "GET /v1/jobs": get("/v1/jobs"),
        "its last page": get(f"/v1/jobs?cursor={last_page}"),
        "?status=queued": get("/v1/jobs?status=queued"),
        "?status=failed": get("/v1/jobs?status=failed"),
        "?dataset_id": get("/v1/jobs?dataset_id=ds_3"),
        "?tag=team:c": get("/v1/jobs?tag=team:c"),
        "?tag=team": get("/v1/jobs?tag=team"),
        "?tag=rare": get("/v1/jobs?tag=rare"),
        "GET /v1/jobs/{id}": get(f"/v1/jobs/{newest}"),
        "GET /v1/jobs/{id}/history": get(f"/v1/jobs/{newest}/history"),
    }


def _transactions(database: Database, settings: Settings) -> dict[str, Operation]:
    attempts, lease = settings.max_attempts, settings.lease_seconds
    with database.reading() as session:
        newest = str(session.scalar(select(func.max(JobRow.id))))

    def read(action: Callable[[Session], Any]) -> Operation:
        def operate() -> None:
            with database.reading() as session:
                action(session)

        return operate

    def undone(action: Callable[[Session], Any]) -> Operation:
        """The changes are undone, so that it finds the same jobs each time."""

        def operate() -> None:
            with suppress(_Undone), database.writing() as session:
                action(session)
                raise _Undone

        return operate

    return {
        "new events": read(lambda session: events.after(session, DEFAULT_TENANT, newest, 2)),
        "poll for work": read(lambda session: leases.claimable(session, attempts)),
        "claim": undone(lambda session: leases.claim_next(session, "oak", lease, attempts)),
        "sweep": undone(lambda session: sweep(session, attempts)),
    }
