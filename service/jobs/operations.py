"""Verbs on jobs."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service.dependencies import Caller, PageQuery
from service.errors import Conflict, Invalid, Mistake, NotFound
from service.jobs import planning, resolution
from service.jobs.schemas import History, JobCreate, JobPage, JobProgress, JobRead, Plan
from service.settings import Settings
from service.store import datasets, epochs, jobs
from service.store.jobs import JobRow
from service.store.transitions import FINAL, Status
from service.times import rfc3339


def submit(session: Session, who: Caller, settings: Settings, job: JobCreate) -> JobRead:
    """Validate and enqueue; the caller rings once this is committed."""
    resolved = _resolve(session, who, settings, job, hold=True)
    row = jobs.submit(
        session,
        who.tenant,
        name=resolved.spec["name"],
        dataset_id=resolved.spec["dataset_id"],
        spec=resolved.spec,
        steps=resolved.steps,
    )
    return read(row)


def plan(session: Session, who: Caller, settings: Settings, job: JobCreate) -> Plan:
    """What the job would be; nothing is stored."""
    return planning.plan(_resolve(session, who, settings, job))


def get(session: Session, who: Caller, job_id: str) -> JobRow:
    """The job's row; raises NotFound."""
    return jobs.get(session, who.tenant, job_id)


def page(
    session: Session,
    who: Caller,
    where: PageQuery,
    status: Status | None,
    dataset_id: str | None,
    tag: str | None,
) -> JobPage:
    """Jobs, newest first; a `tag` is `key` or `key:value`."""
    key, found, value = (tag or "").partition(":")
    rows = jobs.page(
        session,
        who.tenant,
        where.cursor,
        where.limit,
        status=status,
        dataset_id=dataset_id,
        tag=(key, value if found else None) if tag else None,
    )
    return JobPage(items=[read(row) for row in rows.items], next_cursor=rows.next_cursor)


def history(session: Session, who: Caller, job_id: str) -> History:
    """What each epoch reported."""
    jobs.get(session, who.tenant, job_id)
    rows = epochs.history(session, who.tenant, job_id)
    return History(items=[{"epoch": row.number, "step": row.step, **row.metrics} for row in rows])


def cancel(session: Session, who: Caller, job_id: str) -> JobRead:
    """Ask for the job to stop; a final job stays as it is."""
    return read(jobs.cancel(session, who.tenant, job_id))


def pause(session: Session, who: Caller, job_id: str) -> JobRead:
    """Ask for the job to stand still until it is resumed."""
    return read(jobs.pause(session, who.tenant, job_id))


def resume(session: Session, who: Caller, job_id: str) -> JobRead:
    """Let a paused job go on where it stood."""
    return read(jobs.resume(session, who.tenant, job_id))


def retry(session: Session, who: Caller, settings: Settings, job_id: str) -> JobRead:
    """Submit a final job's spec as a new job: a final job itself never changes."""
    row = jobs.get(session, who.tenant, job_id)
    if row.status not in FINAL:
        raise Conflict(f"Job {job_id} is {row.status}; only a final job is trained anew.")
    try:
        datasets.get(session, who.tenant, row.dataset_id)
    except NotFound as gone:
        raise Conflict(
            f"The dataset {row.dataset_id} of job {job_id} is deleted. Upload it again and submit "
            "the job's spec with the new dataset_id."
        ) from gone
    return submit(session, who, settings, JobCreate.model_validate(row.spec))


def remove(session: Session, who: Caller, job_id: str) -> None:
    """Delete a final job; its model stays."""
    jobs.remove(session, who.tenant, job_id)


def read(row: JobRow) -> JobRead:
    """A row as the API shows it."""
    here = f"/v1/jobs/{row.id}"
    links = {
        "self": here,
        "history": f"{here}/history",
        "events": f"{here}/events",
        "cancel": f"{here}/cancel",
        "pause": f"{here}/pause",
        "resume": f"{here}/resume",
        "retry": f"{here}/retry",
        "dataset": f"/v1/datasets/{row.dataset_id}",
    }
    if row.model_id:
        links["model"] = f"/v1/models/{row.model_id}"
        links["predict"] = f"/v1/models/{row.model_id}/predict"
    return JobRead(
        id=row.id,
        name=row.name,
        status=Status(row.status).value,
        dataset_id=row.dataset_id,
        model_id=row.model_id,
        attempt=row.attempt,
        progress=_progress(row),
        metrics=row.metrics,
        error=row.error,
        spec=row.spec,
        created_at=rfc3339(row.created_at),
        started_at=rfc3339(row.started_at),
        finished_at=rfc3339(row.finished_at),
        links=links,
    )


def _progress(row: JobRow) -> JobProgress:
    done = row.status == Status.SUCCEEDED  # maybe before its last step: early stopping, no epochs
    fraction = 1.0 if done else row.step / max(row.steps, 1)
    eta = None
    if row.status == Status.RUNNING and 0 < row.step < row.steps:
        eta = round(row.training_ms / 1000 * (row.steps - row.step) / row.step, 3)
    return JobProgress(
        epoch=row.epoch,
        epochs=row.epochs,
        step=row.step,
        steps=row.steps,
        fraction=round(fraction, 6),
        eta_seconds=0.0 if row.status in FINAL else eta,
    )


def _resolve(
    session: Session, who: Caller, settings: Settings, job: JobCreate, *, hold: bool = False
) -> resolution.Resolved:
    try:
        dataset = datasets.get(session, who.tenant, job.dataset_id, hold=hold)
    except NotFound as error:
        raise Invalid(Mistake("/dataset_id", error.detail)) from error
    return resolution.resolve(job, dataset, settings)
