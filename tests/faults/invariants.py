"""What must hold whatever happened, read straight from the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from service.store.blobs import BlobRow, ChunkRow
from service.store.checkpoints import CheckpointRow
from service.store.datasets import DatasetRow
from service.store.epochs import EpochRow
from service.store.events import EventRow
from service.store.idempotency import IdempotencyRow
from service.store.jobs import JobRow
from service.store.models import ModelRow
from service.store.transitions import FINAL, Status
from tests.faults.jobs import Undisturbed, outcome
from tests.faults.stack import Stack


def check(stack: Stack, jobs: Sequence[str], undisturbed: Undisturbed | None = None) -> list[str]:
    """Every violation: of these jobs, each answered with 202, and of the tables as a whole.

    The jobs must be final. Those that succeeded must equal `undisturbed`, if it is given.
    """
    with stack.database.reading() as session:
        found = {row.id: row for row in session.scalars(select(JobRow).where(JobRow.id.in_(jobs)))}
        told = [f"{job}: accepted, but there is no such job" for job in jobs if job not in found]
        for row in found.values():
            told += [f"{row.id}: {text}" for text in _of_job(session, row)]
        told += _of_tables(session)
        told += _of_finals(stack, session)
    if undisturbed is not None:
        done = [row.id for row in found.values() if row.status == Status.SUCCEEDED]
        told += [text for job in done for text in _differences(stack, job, undisturbed)]
    return told


def executions(stack: Stack, jobs: Sequence[str]) -> dict[str, int]:
    """How often each job was claimed, as its events tell."""
    with stack.database.reading() as session:
        counts = dict.fromkeys(jobs, 0)
        for event in _status_events(session, jobs):
            counts[event.job_id] += event.data["status"] == Status.RUNNING
        return counts


def _of_job(session: Session, row: JobRow) -> list[str]:
    told = []
    states = [event.data["status"] for event in _status_events(session, [row.id])]
    ends = [state for state in states if state in FINAL]
    if row.status not in FINAL:
        return [f"is {row.status}, not final"]
    if ends != [row.status] or states[-1] != row.status or states[0] != Status.QUEUED:
        told.append(f"is {row.status}, but its events tell {states}")
    claims = states.count(Status.RUNNING)
    # What a sweep settles takes a token as well, so that the dead worker's is stale.
    by_sweeps = sum(state in (Status.PAUSED, Status.FAILED, Status.CANCELLED) for state in states)
    if not claims <= row.token <= claims + by_sweeps:
        told.append(f"{claims} claims gave {row.token} tokens")
    models = session.scalars(select(ModelRow).where(ModelRow.job_id == row.id)).all()
    wanted = [row.model_id] if row.status == Status.SUCCEEDED else []
    if [model.id for model in models] != wanted:
        told.append(f"is {row.status} with models {[model.id for model in models]}")
    told += [
        f"its model is of attempt {model.lineage['attempt']}, it ended with {row.attempt}"
        for model in models
        if model.lineage["attempt"] != row.attempt
    ]
    last = session.scalar(select(func.max(EventRow.seq)).where(EventRow.job_id == row.id))
    if last != row.event_seq:
        told.append(f"its last event is {last}, it counts {row.event_seq}")
    return told + _of_history(session, row)


def _of_history(session: Session, row: JobRow) -> list[str]:
    numbers = session.scalars(
        select(EpochRow.number).where(EpochRow.job_id == row.id).order_by(EpochRow.number)
    ).all()
    events = session.scalars(
        select(EventRow)
        .where(EventRow.job_id == row.id, EventRow.kind == "epoch")
        .order_by(EventRow.seq)
    )
    wanted = list(range(1, len(numbers) + 1))
    told = []
    if list(numbers) != wanted:
        told.append(f"its history has the epochs {numbers}")
    if [event.data["epoch"] for event in events] != wanted:
        told.append(f"its events tell other epochs than its history of {len(numbers)}")
    if row.status == Status.SUCCEEDED and len(numbers) != row.epochs:
        told.append(f"it succeeded with {len(numbers)} of {row.epochs} epochs")
    return told


def _of_tables(session: Session) -> list[str]:
    """Rows that belong to nobody, each found in one statement and so at one moment."""
    owned = union_all(
        select(DatasetRow.blob_id), select(ModelRow.weights_id), select(CheckpointRow.blob_id)
    )
    jobs = select(JobRow.id)
    done = select(JobRow.id).where(JobRow.status == Status.SUCCEEDED)
    final = select(JobRow.id).where(JobRow.status.in_(FINAL))
    strays: dict[str, Any] = {
        "blob without an owner": select(BlobRow.id).where(BlobRow.id.not_in(owned)),
        "model without its weights": select(ModelRow.id).where(
            ModelRow.weights_id.not_in(select(BlobRow.id))
        ),
        "checkpoint without its blob": select(CheckpointRow.job_id).where(
            CheckpointRow.blob_id.not_in(select(BlobRow.id))
        ),
        "part of no blob": select(ChunkRow.blob_id).where(
            ChunkRow.blob_id.not_in(select(BlobRow.id))
        ),
        "blob of another size": select(BlobRow.id).where(BlobRow.size != _stored(BlobRow.id)),
        "model without its job": select(ModelRow.id).where(ModelRow.job_id.not_in(done)),
        "job without its model": select(JobRow.id).where(
            JobRow.status == Status.SUCCEEDED, JobRow.model_id.not_in(select(ModelRow.id))
        ),
        "epoch without its job": select(EpochRow.job_id).where(EpochRow.job_id.not_in(jobs)),
        "event without its job": select(EventRow.job_id).where(EventRow.job_id.not_in(jobs)),
        "checkpoint of a final job": select(CheckpointRow.job_id).where(
            CheckpointRow.job_id.in_(final)
        ),
        "key without its job": select(IdempotencyRow.key).where(
            IdempotencyRow.location.like("/v1/jobs/%"),
            func.replace(IdempotencyRow.location, "/v1/jobs/", "").not_in(jobs),
        ),
    }
    told = []
    for what, query in strays.items():
        told += [f"{what}: {row}" for row in session.scalars(query.limit(3))]
    return told


def _stored(blob_id: Any) -> Any:
    size = func.coalesce(func.sum(func.length(ChunkRow.data)), 0)
    return select(size).where(ChunkRow.blob_id == blob_id).scalar_subquery()


def _of_finals(stack: Stack, session: Session) -> list[str]:
    """Compare every final job with how it was when it was first seen final."""
    told = []
    for row in session.scalars(select(JobRow).where(JobRow.status.in_(FINAL))):
        now = _all_of(row)
        before = stack.finals.setdefault(row.id, now)
        if before != now:
            told.append(f"{row.id}: was final as {before} and then became {now}")
    missing = set(stack.finals) - set(session.scalars(select(JobRow.id)))
    return told + [f"{job}: was final and is gone" for job in sorted(missing)]


def _all_of(row: JobRow) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in JobRow.__table__.columns}


def _differences(stack: Stack, job: str, wanted: Undisturbed) -> list[str]:
    found = outcome(stack.database, job)
    told = []
    if found.weights_sha256 != wanted.weights_sha256:
        told.append(f"{job}: weights {found.weights_sha256}, undisturbed {wanted.weights_sha256}")
    if found.metrics != wanted.metrics:
        told.append(f"{job}: metrics {found.metrics}, undisturbed {wanted.metrics}")
    if found.history != wanted.history:
        told.append(f"{job}: its history differs from that of the undisturbed run")
    return told


def _status_events(session: Session, jobs: Sequence[str]) -> Sequence[EventRow]:
    return session.scalars(
        select(EventRow)
        .where(EventRow.job_id.in_(jobs), EventRow.kind == "status")
        .order_by(EventRow.job_id, EventRow.seq)
    ).all()
