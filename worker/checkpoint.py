"""A run's state as bytes and back, and the last one of a job that is whole."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import numpy as np
import structlog
from safetensors import SafetensorError
from safetensors.numpy import load, save
from sqlalchemy.orm import Session

from nncore import TrainingState
from service.errors import Damaged
from service.store import checkpoints
from service.store.leases import Claim

# A checkpoint may take this part of the time, however large the network is.
SHARE = 0.02

_log = structlog.get_logger(__name__)


class Clock:
    """Says when the next checkpoint is due: every so many seconds, or more rarely if it is slow."""

    def __init__(self, every_seconds: float) -> None:
        self._every = every_seconds
        self._next = time.monotonic() + every_seconds

    @property
    def due(self) -> bool:
        """Whether it is time."""
        return time.monotonic() >= self._next

    def taken(self, seconds: float) -> None:
        """A checkpoint was taken, and took so long."""
        self._next = time.monotonic() + max(self._every, seconds / SHARE)


def encode(state: TrainingState) -> bytes:
    """Arrays in their own types, and the document as metadata."""
    arrays = {name: np.ascontiguousarray(array) for name, array in state.arrays.items()}
    return save(arrays, metadata={"document": json.dumps(state.document)})


def decode(data: bytes) -> TrainingState:
    """The state that was encoded; raises Damaged for other bytes."""
    try:
        size = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + size])["__metadata__"]
        return TrainingState(load(data), json.loads(metadata["document"]))
    except (SafetensorError, ValueError, KeyError) as error:
        raise Damaged(f"a checkpoint cannot be read: {error}") from error


def whole(session: Session, claim: Claim) -> Iterator[TrainingState]:
    """The job's states, the furthest first; damaged ones are passed over."""
    for row in checkpoints.newest_first(session, claim.tenant, claim.job_id):
        try:
            yield decode(checkpoints.read(session, row))
        except Damaged as error:
            _log.warning("a damaged checkpoint is passed over", step=row.step, why=error.detail)
