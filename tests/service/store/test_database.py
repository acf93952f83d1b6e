"""Transactions and the database's clock."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import select, text

from service.store import datasets
from service.store.database import now_ms
from service.store.tenants import DEFAULT_TENANT
from tests.service.rows import add_dataset, read, write


def test_the_databases_clock_tells_milliseconds(database):
    before = time.time() * 1000
    with database.reading() as session:
        told = session.scalar(select(now_ms()))
    assert before - 2 <= told <= time.time() * 1000 + 2


def test_the_clock_runs_inside_a_transaction(database):
    with database.reading() as session:
        first = session.scalar(select(now_ms()))
        threading.Event().wait(0.02)
        assert session.scalar(select(now_ms())) > first


def test_a_transaction_that_raises_leaves_nothing(database):
    def add_and_fail(session):
        add_dataset(session)
        raise KeyError

    with pytest.raises(KeyError):
        write(database, add_and_fail)
    assert read(database, datasets.page, DEFAULT_TENANT, None, 9).items == []


def test_a_reading_transaction_commits_nothing(database):
    with database.reading() as session:
        add_dataset(session)
    assert read(database, datasets.page, DEFAULT_TENANT, None, 9).items == []


def test_a_reader_is_not_held_up_by_a_writer(database):
    with database.writing() as session:
        add_dataset(session)
        assert read(database, datasets.page, DEFAULT_TENANT, None, 9).items == []


def test_writers_of_sqlite_wait_for_each_other(sqlite):
    began = threading.Event()

    def slow():
        with sqlite.writing() as session:
            add_dataset(session)
            began.set()
            threading.Event().wait(0.1)

    thread = threading.Thread(target=slow)
    thread.start()
    began.wait(5)
    write(sqlite, add_dataset)
    thread.join()
    assert len(read(sqlite, datasets.page, DEFAULT_TENANT, None, 9).items) == 2


def test_sqlite_keeps_a_log_ahead_and_checks_references(sqlite):
    with sqlite.reading() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
        assert session.scalar(text("PRAGMA secure_delete")) == 2  # FAST, whatever the build prefers
