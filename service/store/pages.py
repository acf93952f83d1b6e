"""Keyset pagination, newest first: ids are time-ordered, so the cursor is the last id seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

RowType = TypeVar("RowType")


@dataclass(frozen=True, slots=True)
class Page(Generic[RowType]):
    """Rows and where the next page begins (None: this is the last one)."""

    items: list[RowType]
    next_cursor: str | None


def newest_first(
    session: Session,
    query: Select[Any],
    identifier: InstrumentedAttribute[str],
    cursor: str | None,
    limit: int,
) -> Page[RowType]:
    """The page of `query` that follows the row with id `cursor`; the `identifier` orders rows."""
    if cursor is not None:
        query = query.where(identifier < cursor)
    rows: list[Any] = list(session.scalars(query.order_by(identifier.desc()).limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, rows[-1].id if more else None)
