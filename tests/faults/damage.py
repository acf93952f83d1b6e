"""Checkpoints whose bytes are not what was written: never gone on from, and told of.

The job stands still (paused) while its rows are damaged, so that it is known which state it has to
go on from.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from service.store import blobs, events
from service.store.blobs import BlobRow, ChunkRow
from service.store.checkpoints import CheckpointRow, newest_first
from service.store.jobs import JobRow
from tests.faults import invariants, jobs
from tests.faults.campaign import Campaign, Trial, register
from tests.faults.rings import LONG_LEASE
from tests.faults.stack import Setup, Stack
from tests.waiting import wait_until

# Wide enough for a state of several chunks.
WIDE = [{"type": "dense", "units": units} for units in (900, 900, 2)]
SPEC = "second"
jobs.SPECS["wide"] = jobs.SPEC | {"epochs": 40, "batch_size": 32, "network": {"layers": WIDE}}
WIDE_EVERY = 8  # trials
TRIES = 5


def run(stack: Stack, rng: random.Random, trial: int) -> Trial:
    """Damage the newest checkpoint, or all of them, of a paused job, and let it go on."""
    name = "wide" if trial % WIDE_EVERY == 0 else SPEC
    wanted = jobs.undisturbed(stack, name)
    job, kept = _paused(stack, name)
    damage = rng.choice(CHUNKS if name == "wide" and rng.random() < 0.5 else DAMAGES)
    victims = rng.choice([kept[:1], kept])
    with stack.database.writing() as session:
        sound = {row.step: blobs.read(session, row.tenant, row.blob_id) for row in kept}
        strange = stack.undisturbed.get(f"state of {name}", b"of no run")
        assert isinstance(strange, bytes)
        for row in victims:
            others = [state for step, state in sound.items() if step != row.step] + [strange]
            damage(session, rng, row.blob_id, rng.choice(others))
    stack.undisturbed[f"state of {name}"] = sound[kept[0].step]  # of another job, for later ones
    began = time.monotonic()
    jobs.patiently(stack, "POST", f"/v1/jobs/{job}/resume")
    jobs.finished(stack, [job])
    told = _untold(stack, job, [row.step for row in victims], [row.step for row in kept])
    told += invariants.check(stack, [job], wanted)
    note = f"{name}: {damage.__name__} of {len(victims)} of {len(kept)}"
    return Trial([f"{note}: {text}" for text in told], note, time.monotonic() - began)


def _paused(stack: Stack, name: str) -> tuple[str, list[CheckpointRow]]:
    """A job that stands still, and its checkpoints, the newest first."""
    for _ in range(TRIES):
        job = jobs.submit(stack, name)
        wait_until(partial(_kept_or_final, stack, job), 60, "a state is kept")
        answer = jobs.patiently(stack, "POST", f"/v1/jobs/{job}/pause")
        if answer.status_code == 202:
            wait_until(partial(_stands, stack, job), 60, f"{job} is paused")
            if kept := _kept(stack, job):
                return job, kept
    raise AssertionError(f"{name} jobs end before they can be paused")


def _kept(stack: Stack, job: str) -> list[CheckpointRow]:
    with stack.database.reading() as session:
        tenant = session.get_one(JobRow, job).tenant
        return list(newest_first(session, tenant, job))


def _kept_or_final(stack: Stack, job: str) -> bool:
    return bool(_kept(stack, job)) or jobs.rows(stack, [job])[0].finished_at is not None


def _stands(stack: Stack, job: str) -> bool:
    return jobs.rows(stack, [job])[0].status in ("paused", "succeeded")


def _untold(stack: Stack, job: str, damaged: list[int], kept: list[int]) -> list[str]:
    """What the job's log does not tell, or tells wrongly, of the states that it met."""
    with stack.database.reading() as session:
        row = session.get_one(JobRow, job)
        log = [
            e.data["message"] for e in events.after(session, row.tenant, job, 0) if e.kind == "log"
        ]
    wanted = [f"The checkpoint of step {step} is damaged and is passed over" for step in damaged]
    wanted += [f"Goes on after step {step}" for step in kept if step not in damaged][:1]
    return [] if log == wanted else [f"its log is {log}, not {wanted}"]


Damage = Callable[[Session, random.Random, str, bytes], None]


def flipped_bits(session: Session, rng: random.Random, blob: str, _other: bytes) -> None:
    def flip(data: bytearray) -> None:
        for _ in range(rng.choice([1, 1, 8, 64])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)

    _change(session, rng, blob, flip)


def flipped_bit_of_the_header(
    session: Session, rng: random.Random, blob: str, _other: bytes
) -> None:
    def flip(data: bytearray) -> None:
        data[rng.randrange(min(64, len(data)))] ^= 1 << rng.randrange(8)

    _change(session, rng, blob, flip, first=True)


def truncation(session: Session, rng: random.Random, blob: str, _other: bytes) -> None:
    def cut(data: bytearray) -> None:
        del data[rng.choice([0, 1, 8, rng.randrange(len(data)), len(data) - 1]) :]

    _change(session, rng, blob, cut)


def zeros(session: Session, rng: random.Random, blob: str, _other: bytes) -> None:
    def blank(data: bytearray) -> None:
        start = next(at for at in range(rng.randrange(len(data) // 2), len(data)) if data[at])
        stop = rng.randrange(start, len(data)) + 1
        data[start:stop] = bytes(stop - start)

    _change(session, rng, blob, blank)


def more_bytes(session: Session, rng: random.Random, blob: str, _other: bytes) -> None:
    _change(session, rng, blob, lambda data: data.extend(rng.randbytes(rng.choice([1, 4096]))))


def bytes_of_another_state(session: Session, rng: random.Random, blob: str, other: bytes) -> None:
    """Under the hash of the state that should be here."""
    _replace(session, blob, other)


def another_state(session: Session, rng: random.Random, blob: str, other: bytes) -> None:
    """Whole, with its own hash: as if the row had been given the wrong blob."""
    _replace(session, blob, other)
    right = {"size": len(other), "sha256": sha256(other).hexdigest()}
    session.execute(update(BlobRow).where(BlobRow.id == blob).values(**right))


def another_hash(session: Session, rng: random.Random, blob: str, _other: bytes) -> None:
    wrong = sha256(rng.randbytes(8)).hexdigest()
    session.execute(update(BlobRow).where(BlobRow.id == blob).values(sha256=wrong))


def no_blob(session: Session, rng: random.Random, blob: str, _other: bytes) -> None:
    session.execute(delete(BlobRow).where(BlobRow.id == blob))


def lost_chunk(session: Session, rng: random.Random, blob: str, _other: bytes) -> None:
    lost = rng.randrange(len(_chunks(session, blob)))
    session.execute(delete(ChunkRow).where(ChunkRow.blob_id == blob, ChunkRow.number == lost))


def swapped_chunks(session: Session, rng: random.Random, blob: str, _other: bytes) -> None:
    chunks = _chunks(session, blob)
    assert len(chunks) > 1, "one chunk cannot be swapped"
    one, other = rng.sample(range(len(chunks)), 2)
    chunks[one].data, chunks[other].data = chunks[other].data, chunks[one].data


DAMAGES: list[Damage] = [
    flipped_bits,
    flipped_bits,
    flipped_bit_of_the_header,
    truncation,
    zeros,
    more_bytes,
    bytes_of_another_state,
    another_state,
    another_hash,
    no_blob,
    lost_chunk,
]
CHUNKS: list[Damage] = [swapped_chunks, lost_chunk, flipped_bits]


def _change(
    session: Session,
    rng: random.Random,
    blob: str,
    change: Callable[[bytearray], Any],
    *,
    first: bool = False,
) -> None:
    chunks = _chunks(session, blob)
    chunk = chunks[0] if first else rng.choice(chunks)
    data = bytearray(chunk.data)
    change(data)
    assert data != chunk.data, "damage that changes nothing"
    chunk.data = bytes(data)


def _replace(session: Session, blob: str, data: bytes) -> None:
    session.execute(delete(ChunkRow).where(ChunkRow.blob_id == blob))
    session.add(ChunkRow(blob_id=blob, number=0, data=data))
    session.flush()


def _chunks(session: Session, blob: str) -> list[ChunkRow]:
    mine = select(ChunkRow).where(ChunkRow.blob_id == blob).order_by(ChunkRow.number)
    return list(session.scalars(mine))


register(
    Campaign(
        name="damage",
        title="damaged bytes of checkpoints",
        count=200,
        few=1,
        run=run,
        setup=Setup(environment=LONG_LEASE),  # as a resume of another cause would be told as well
        chunk=50,
    )
)
