"""Models on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MAX_INSTANCES = 10_000


class ModelRead(BaseModel):
    """A model: what it is, what it takes, what it answers and where it comes from."""

    id: str
    name: str
    task: str
    network: dict[str, Any]
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    metrics: dict[str, float]
    lineage: dict[str, Any]
    created_at: str
    links: dict[str, str]


class Receipt(BaseModel):
    """What it takes to train a model again and to tell whether the same weights come out."""

    model_id: str
    created_at: str
    job_id: str
    attempt: int
    notes: list[str] = Field(description="What about the run a repetition cannot reproduce")
    dataset_id: str
    dataset_sha256: str
    spec: dict[str, Any] = Field(description="As resolved; `POST /v1/jobs` takes it again")
    seed: int
    code_version: str
    fingerprint: dict[str, Any]
    weights_sha256: str


class ModelPage(BaseModel):
    """Models, newest first."""

    items: list[ModelRead]
    next_cursor: str | None


class Predict(BaseModel):
    """What to predict for: objects of feature columns, or nested lists for tensors."""

    model_config = ConfigDict(extra="forbid", strict=True)

    instances: list[Any] = Field(max_length=MAX_INSTANCES)


class Predictions(BaseModel):
    """One answer an instance, in order."""

    model_id: str
    predictions: list[dict[str, Any]]
