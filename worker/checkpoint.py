"""A run's state as bytes and back, and when to keep it."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from nncore import TrainingState
from service.errors import Damaged

# A checkpoint may take this part of the time, however large the network is. Less than 2 %, since
# the steps after it are slower too.
SHARE = 0.015


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


@dataclass(frozen=True, slots=True)
class Owner:
    """What a state belongs to. Its bytes say so themselves, in case they lie in a wrong row."""

    job_id: str
    step: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a state was reached: the numeric fingerprint there, and notes on the way."""

    fingerprint: dict[str, Any]
    notes: tuple[str, ...] = ()


def encode(state: TrainingState, owner: Owner, origin: Origin) -> bytes:
    """Arrays in their own types, and the documents as metadata."""
    arrays = {name: np.asarray(array, order="C") for name, array in state.arrays.items()}
    documents = {"document": state.document, "owner": asdict(owner), "origin": asdict(origin)}
    return save(arrays, metadata={name: json.dumps(each) for name, each in documents.items()})


def decode(data: bytes, owner: Owner) -> tuple[TrainingState, Origin]:
    """What was encoded for this owner; raises Damaged for other bytes."""
    try:
        size = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + size])["__metadata__"]
        told = Owner(**json.loads(metadata["owner"]))
        origin = json.loads(metadata["origin"])
        state = TrainingState(load(data), json.loads(metadata["document"]))
        found = state, Origin(origin["fingerprint"], tuple(origin["notes"]))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"a checkpoint cannot be read: {error}") from error
    if told != owner:
        raise Damaged(f"a checkpoint of {owner} holds the state of {told}")
    return found
