"""`/v1/jobs/{id}/events`: the job's events as they are committed, resumable from SQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from service.dependencies import CallerDep, DatabaseDep
from service.errors import Invalid, Mistake
from service.shutdown import stopping
from service.store import events, jobs
from service.store.database import Database
from service.store.transitions import FINAL

# Looked for soon after the last event, when the next is likely near, and then less and less often.
SOONEST_LOOK_SECONDS = 0.01
LATEST_LOOK_SECONDS = 0.2
SLOWING = 1.5

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


def _start(
    job_id: str,
    who: CallerDep,
    database: DatabaseDep,
    last_event_id: Annotated[str | None, Header()] = None,
) -> int:
    """The last event that the client has; a dependency, so that errors come before the stream."""
    with database.reading() as session:
        jobs.get(session, who.tenant, job_id)
    if last_event_id is None:
        return 0
    if not (last_event_id.isascii() and last_event_id.isdigit()) or len(last_event_id) > 18:
        raise Invalid(
            Mistake("", "Last-Event-ID must be the id of an event of this job, a whole number")
        )
    return int(last_event_id)


@router.get("/{job_id}/events", response_class=EventSourceResponse)
async def stream_events(
    job_id: str, who: CallerDep, database: DatabaseDep, last: Annotated[int, Depends(_start)]
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events `status`, `progress`, `epoch` and `log`; ends after a final status.

    A stream that ends earlier broke off; ask again with the last id as `Last-Event-ID`.
    """
    over, wait = False, SOONEST_LOOK_SECONDS
    while not over and not stopping.is_set():
        rows, over = await run_in_threadpool(_news, database, who.tenant, job_id, last)
        for row in rows:
            last = row.seq
            yield ServerSentEvent(event=row.kind, id=str(row.seq), data=row.data)
        wait = SOONEST_LOOK_SECONDS if rows else min(wait * SLOWING, LATEST_LOOK_SECONDS)
        if not over:
            await asyncio.sleep(wait)


def _news(
    database: Database, tenant: str, job_id: str, seq: int
) -> tuple[Sequence[events.EventRow], bool]:
    """The events after `seq`, and whether no more will come: the job is final or deleted."""
    with database.reading() as session:
        rows = events.after(session, tenant, job_id, seq)
        job = jobs.look(session, tenant, job_id)
    sent = rows[-1].seq if rows else seq
    return rows, job is None or (job.status in FINAL and sent >= job.event_seq)
