"""The states of a job and the only ways between them; a trigger in SQL refuses any other.

    queued ──claim──▶ running ──▶ succeeded | failed | cancelled
      ▲ ▲               │  │
      │ └──give back────┘  └──pause──▶ paused ──resume──▶ queued
      └── (a worker that died: running ──claim──▶ running)

A queued or paused job can also be cancelled, and a queued one paused, at once. A running one whose
worker died is settled by a sweep.
"""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a job is. The last three are final: a row that has one never changes it."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)
ACTIVE = (Status.QUEUED, Status.RUNNING, Status.PAUSED)
TRANSITIONS: dict[Status, tuple[Status, ...]] = {
    Status.QUEUED: (Status.RUNNING, Status.PAUSED, Status.CANCELLED),
    Status.RUNNING: (Status.QUEUED, Status.PAUSED, *FINAL),
    Status.PAUSED: (Status.QUEUED, Status.CANCELLED),
}


def forbidden() -> str:
    """The SQL condition, on OLD and NEW, of an update that no job may see."""
    allowed = [
        f"(OLD.status = '{before}' AND NEW.status IN ({_listed(before, *after)}))"
        for before, after in TRANSITIONS.items()
    ]
    return f"NOT ({' OR '.join(allowed)})"


def _listed(*states: Status) -> str:
    return ", ".join(f"'{state}'" for state in states)
