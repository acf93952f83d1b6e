"""How the databases say that they find the rows of a statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Engine, event

_ASKED = ("SELECT", "UPDATE", "DELETE", "WITH")
# What reads a whole table of jobs or sorts what it found, in the words of each EXPLAIN.
_SCANS = {
    "sqlite": re.compile(r"SCAN (?:jobs|job_tags|job_events|job_epochs)\b(?! USING)|TEMP B-TREE"),
    "postgresql": re.compile(r"Seq Scan on \w+|\bSort\b"),
}
_INDEXES = {
    "sqlite": re.compile(r"USING (?:COVERING )?INDEX (\w+)"),
    "postgresql": re.compile(r"(?:Scan(?: Backward)? using|Bitmap Index Scan on) (\w+)"),
}
Statement = tuple[str, Any]


def plan(engines: Sequence[Engine], operation: Callable[[], Any]) -> dict[str, list[str]]:
    """The indexes that the operation's statements use, and what they read without one."""
    with _listening(engines) as heard:
        operation()
    lines = [line for statement in heard for line in _explained(engines[0], statement)]
    dialect = engines[0].dialect.name
    return {
        "indexes": _found(_INDEXES[dialect], lines),
        "scans": _found(_SCANS[dialect], lines),
    }


@contextmanager
def _listening(engines: Sequence[Engine]) -> Iterator[list[Statement]]:
    heard: list[Statement] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(_ASKED):
            heard.append((statement, parameters))

    with ExitStack() as stack:
        for engine in engines:
            event.listen(engine, "before_cursor_execute", hear)
            stack.callback(event.remove, engine, "before_cursor_execute", hear)
        yield heard


def _explained(engine: Engine, statement: Statement) -> list[str]:
    words = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    text, parameters = statement
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"{words} {text}", parameters).all()
    return [str(row[-1]) for row in rows]


def _found(pattern: re.Pattern[str], lines: Sequence[str]) -> list[str]:
    found = [
        match.group(match.lastindex or 0) for line in lines for match in pattern.finditer(line)
    ]
    return list(dict.fromkeys(found))
