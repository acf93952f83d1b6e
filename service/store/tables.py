"""Every table, imported together so that the metadata is complete."""

from __future__ import annotations

from service.store import blobs, checkpoints, datasets, epochs, events, idempotency, jobs, models
from service.store.database import Row

metadata = Row.metadata

__all__ = [
    "blobs",
    "checkpoints",
    "datasets",
    "epochs",
    "events",
    "idempotency",
    "jobs",
    "metadata",
    "models",
]
