"""The migrations against the tables that the code declares, on both databases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from service.store import migrate
from service.store.database import Database
from service.store.tables import metadata
from tests.service.databases import url_of
from tests.service.rows import read

ROOT = Path(__file__).parents[3]
UPGRADE = "import sys; from service.store.migrate import upgrade; upgrade(sys.argv[1])"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    if request.param == "sqlite":
        return url_of(tmp_path / "empty.db")
    return request.getfixturevalue("empty_postgres_url")


@pytest.fixture
def empty(empty_url):
    database = Database(empty_url)
    yield database
    database.dispose()


def tables(database):
    return {
        name for name in inspect(database.engine).get_table_names() if name != "alembic_version"
    }


def described(database):
    """Everything of every table that the database itself can tell, in comparable form."""
    inspector = inspect(database.engine)
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            },
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": named(inspector.get_foreign_keys(table)),
            "checks": named(inspector.get_check_constraints(table)),
            "uniques": named(inspector.get_unique_constraints(table)),
            "indexes": index_statements(database, table),
        }
        for table in tables(database)
    }


def named(constraints):
    return {each["name"]: each for each in constraints}


def index_statements(database, table):
    """How each index was made, conditions and directions included."""
    catalogue = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :table",
    }[database.engine.dialect.name]
    with database.reading() as session:
        return dict(session.execute(text(catalogue), {"table": table}).all())


def test_the_metadata_asks_for_nothing_that_the_migrations_do_not_build(database):
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_migrations_build_exactly_the_declared_tables(empty, empty_url):
    migrate.upgrade(empty_url)
    migrated = described(empty)
    command.downgrade(migrate._config(empty_url), "base")
    metadata.create_all(empty.engine)
    assert described(empty) == migrated


def test_guards_that_correctness_rests_on_exist(database):
    found = described(database)
    assert set(found["jobs"]["checks"]) == {
        "ck_jobs_lease_iff_running",
        "ck_jobs_model_iff_done",
        "ck_jobs_status_known",
    }
    assert "WHERE" in found["jobs"]["indexes"]["ix_jobs_claimable"]
    assert "priority DESC, id" in found["jobs"]["indexes"]["ix_jobs_claimable"]
    assert set(found["models"]["uniques"]) == {"uq_models_job_id"}
    referred = {
        table: {name: key["options"].get("ondelete") for name, key in facts["foreign keys"].items()}
        for table, facts in found.items()
    }
    assert referred == {
        "blobs": {},
        "blob_chunks": {"fk_blob_chunks_blob_id": "CASCADE"},
        "datasets": {"fk_datasets_blob_id": None},
        "idempotency_keys": {},
        "jobs": {},
        "job_epochs": {"fk_job_epochs_job_id": "CASCADE"},
        "job_checkpoints": {"fk_job_checkpoints_job_id": "CASCADE"},
        "job_events": {"fk_job_events_job_id": "CASCADE"},
        "job_tags": {"fk_job_tags_job_id": "CASCADE"},
        "models": {"fk_models_weights_id": None},
    }


def test_the_search_for_work_uses_its_partial_index(sqlite):
    with sqlite.reading() as session:
        plan = session.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE status IN ('queued', 'running')"
                " ORDER BY priority DESC, id LIMIT 1"
            )
        ).all()
    assert "ix_jobs_claimable" in str(plan)


def test_a_downgrade_leaves_no_table(empty, empty_url):
    migrate.upgrade(empty_url)
    assert tables(empty) == set(metadata.tables)
    command.downgrade(migrate._config(empty_url), "base")
    assert tables(empty) == set()
    migrate.upgrade(empty_url)
    assert tables(empty) == set(metadata.tables)


def test_a_database_is_current_once_it_is_upgraded(empty, empty_url):
    assert not read(empty, migrate.is_current)
    migrate.upgrade(empty_url)
    assert read(empty, migrate.is_current)
    migrate.upgrade(empty_url)
    assert read(empty, migrate.is_current)


def test_two_processes_may_upgrade_an_empty_database_at_once(empty, empty_url):
    upgrades = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, empty_url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    told = [upgrade.communicate(timeout=60)[0] for upgrade in upgrades]
    assert [upgrade.returncode for upgrade in upgrades] == [0, 0], told
    assert read(empty, migrate.is_current)
