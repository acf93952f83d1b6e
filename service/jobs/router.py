"""`/v1/jobs`."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from service.dependencies import (
    BellDep,
    CallerDep,
    PageDep,
    ReadSession,
    SettingsDep,
    WriteSession,
    json_only,
)
from service.idempotency import Created, OnceDep
from service.jobs import operations
from service.jobs.schemas import History, JobCreate, JobPage, JobRead, Plan
from service.store.transitions import FINAL, Status
from service.strict_json import StrictRoute

POLL_SECONDS = 1

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=StrictRoute)


@router.post("", status_code=202, response_model=JobRead, dependencies=[Depends(json_only)])
def submit_job(
    body: JobCreate,
    who: CallerDep,
    once: OnceDep,
    settings: SettingsDep,
    bell: BellDep,
    after: BackgroundTasks,
) -> Response:
    """Submit a training job."""

    def submit(session: Session) -> JobRead:
        return operations.submit(session, who, settings, body)

    return _accepted(once, body.model_dump_json(), submit, bell, after)


@router.post("/plan", dependencies=[Depends(json_only)])
def plan_job(body: JobCreate, who: CallerDep, session: ReadSession, settings: SettingsDep) -> Plan:
    """What the job would be, or what is wrong with it; nothing is stored."""
    return operations.plan(session, who, settings, body)


@router.get("")
def list_jobs(
    who: CallerDep,
    session: ReadSession,
    page: PageDep,
    status: Status | None = None,
    dataset_id: str | None = None,
    tag: Annotated[str | None, Query(description="`key` or `key:value`")] = None,
) -> JobPage:
    """Jobs, newest first."""
    return operations.page(session, who, page, status, dataset_id, tag)


@router.get("/{job_id}", response_model=JobRead)
def get_job(job_id: str, who: CallerDep, session: ReadSession, request: Request) -> Response:
    """A job. `If-None-Match` with its ETag answers 304 while nothing has changed."""
    job = operations.get(session, who, job_id)
    body = JSONResponse(operations.read(job).model_dump())
    headers = {"ETag": f'"{sha256(body.body).hexdigest()[:32]}"'}
    if job.status not in FINAL:
        headers["Retry-After"] = str(POLL_SECONDS)
    known = request.headers.get("if-none-match", "")
    if headers["ETag"] in known or known.strip() == "*":
        return Response(status_code=304, headers=headers)
    body.headers.update(headers)
    return body


@router.get("/{job_id}/history")
def get_history(job_id: str, who: CallerDep, session: ReadSession) -> History:
    """What each epoch reported."""
    return operations.history(session, who, job_id)


@router.post("/{job_id}/cancel", status_code=202)
def cancel_job(job_id: str, who: CallerDep, session: WriteSession) -> JobRead:
    """Ask for the job to stop: at once while queued, at its next step while running."""
    return operations.cancel(session, who, job_id)


@router.post("/{job_id}/pause", status_code=202)
def pause_job(job_id: str, who: CallerDep, session: WriteSession) -> JobRead:
    """Ask for the job to stand still: at once while queued, at its next step while running."""
    return operations.pause(session, who, job_id)


@router.post("/{job_id}/resume", status_code=202)
def resume_job(
    job_id: str, who: CallerDep, session: WriteSession, bell: BellDep, after: BackgroundTasks
) -> JobRead:
    """Let a paused job go on where it stood, to the same bytes as if it had never paused."""
    after.add_task(bell.ring, job_id)
    return operations.resume(session, who, job_id)


@router.post("/{job_id}/retry", status_code=202, response_model=JobRead)
def retry_job(
    job_id: str,
    who: CallerDep,
    once: OnceDep,
    settings: SettingsDep,
    bell: BellDep,
    after: BackgroundTasks,
) -> Response:
    """Train a final job's spec anew, as a job of its own."""

    def retry(session: Session) -> JobRead:
        return operations.retry(session, who, settings, job_id)

    return _accepted(once, "", retry, bell, after)


@router.delete("/{job_id}", status_code=204)
def delete_job(job_id: str, who: CallerDep, session: WriteSession) -> None:
    """Delete a final job with its history; its model stays."""
    operations.remove(session, who, job_id)


def _accepted(
    once: OnceDep,
    request: str,
    add: Callable[[Session], JobRead],
    bell: BellDep,
    after: BackgroundTasks,
) -> Response:
    """The answer to a request that adds a job, which is rung for once it is committed."""

    def make(session: Session) -> Created:
        job = add(session)
        after.add_task(bell.ring, job.id)
        return Created(job.links["self"], job.model_dump())

    answer = once.create(202, request, make)
    answer.background = after
    return answer
