"""Walking through a list page by page."""

from __future__ import annotations

import pytest

from service.store import datasets, jobs, models
from service.store.tenants import DEFAULT_TENANT
from tests.service.rows import add_dataset, add_job, add_model, read, write

LISTS = {
    "datasets": (add_dataset, datasets.page),
    "jobs": (add_job, jobs.page),
    "models": (add_model, models.page),
}


@pytest.fixture(params=LISTS.values(), ids=LISTS)
def listing(request, database):
    add, page = request.param

    def add_one():
        return write(database, add).id

    def page_of(cursor, limit):
        found = read(database, page, DEFAULT_TENANT, cursor, limit)
        return [row.id for row in found.items], found.next_cursor

    return add_one, page_of


def test_an_empty_list_is_one_empty_page(listing):
    _, page = listing
    assert page(None, 5) == ([], None)


def test_the_newest_come_first(listing):
    add, page = listing
    added = [add() for _ in range(3)]
    assert page(None, 5) == (added[::-1], None)


def test_a_page_that_is_just_full_is_the_last(listing):
    add, page = listing
    added = [add() for _ in range(4)]
    assert page(None, 4) == (added[::-1], None)
    first, cursor = page(None, 2)
    assert (first, cursor) == (added[:1:-1], added[2])
    assert page(cursor, 2) == (added[1::-1], None)


def test_the_walk_is_complete_and_repeats_nothing_while_rows_are_added(listing):
    add, page = listing
    before = [add() for _ in range(7)]
    walked, cursor = page(None, 2)
    while cursor is not None:
        add()
        items, cursor = page(cursor, 2)
        walked += items
    assert walked == before[::-1]
