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
