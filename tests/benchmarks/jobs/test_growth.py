"""That no operation on jobs reads a whole table, in the words of the databases themselves."""

from benchmarks.jobs.filling import fill
from benchmarks.jobs.growth import operations_of
from benchmarks.jobs.plans import plan
from service.store.database import Database
from service.store.jobs import JobRow
from tests.service.databases import database_url, migrated_sqlite, sqlite_url

__all__ = ["database_url", "migrated_sqlite", "sqlite_url"]

ENOUGH = 3000  # for PostgreSQL to prefer an index to reading all of a small table


def test_every_operation_on_very_many_jobs_goes_by_an_index(database_url):
    fill(database_url, ENOUGH)
    with operations_of(database_url) as (operations, engines):
        plans = {what: plan(engines, operation) for what, operation in operations.items()}
    assert {what: found["scans"] for what, found in plans.items() if found["scans"]} == {}
    assert all(found["indexes"] for found in plans.values())


def test_what_reads_a_whole_table_is_named(sqlite_url):
    database = Database(sqlite_url)

    def read_all():
        with database.reading() as session:
            session.query(JobRow).filter(JobRow.name == "oak").all()

    assert plan([database.engine], read_all) == {"indexes": [], "scans": ["SCAN jobs"]}
    database.dispose()


def test_measuring_leaves_the_jobs_as_they_were(sqlite_url):
    fill(sqlite_url, 20)
    database = Database(sqlite_url)

    def statuses():
        with database.reading() as session:
            return [(row.status, row.attempt) for row in session.query(JobRow)]

    before = statuses()
    with operations_of(sqlite_url) as (operations, _):
        for operation in operations.values():
            operation()
    assert statuses() == before
    database.dispose()
