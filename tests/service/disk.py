"""A database whose disk is full, as SQLite tells it: no page more than there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from service.store.database import Database

_MOST_PAGES = 2**30


class Disk:
    """What the connections of a SQLite database may grow by: anything, or nothing."""

    def __init__(self, database: Database) -> None:
        self.has_room = True
        self._engine = database.engine
        event.listen(self._engine, "checkout", self._limit)

    @contextmanager
    def full(self) -> Iterator[None]:
        """No room for the time of the block."""
        self.has_room = False
        try:
            yield
        finally:
            self.has_room = True

    def _limit(self, connection: Any, *_: Any) -> None:
        # SQLite makes it the present number where that is more.
        connection.execute(f"PRAGMA max_page_count = {_MOST_PAGES if self.has_room else 1}")
