"""Jobs on the wire."""

from __future__ import annotations

from dataclasses import fields
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from nncore import TrainingConfig

Scale = Literal["none", "standard", "min_max"]
Missing = Literal["mean", "zero", "error"]
Task = Literal["classification", "multilabel", "regression", "reconstruction"]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_STRICT = ConfigDict(extra="forbid", strict=True)


class ColumnOptions(BaseModel):
    """How one feature column is prepared; what is left out follows `features`."""

    model_config = _STRICT

    scale: Scale | None = None
    missing: Missing | None = None


class Features(BaseModel):
    """Which columns the network sees, in which order, and how they are prepared."""

    model_config = _STRICT

    include: list[str] | None = Field(None, min_length=1)
    scale: Scale = "standard"
    missing: Missing = "mean"
    columns: dict[str, ColumnOptions] = {}


class Part(BaseModel):
    """A share of the rows that is held out."""

    model_config = _STRICT

    fraction: float = Field(ge=0, lt=1)


class JobCreate(BaseModel):
    """What to train on what.

    The fields of training itself (loss, optimizer, epochs, ...) are those of
    `nncore.TrainingConfig`: they arrive as extra fields and `resolution` parses them, so that
    their table stands in one place; `service.openapi` adds them to the schema.
    """

    model_config = ConfigDict(extra="allow", strict=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    dataset_id: str
    target: str | None = None
    features: Features = Features()
    task: Task | None = None
    target_scale: Literal["none", "standard"] | None = None
    network: dict[str, Any]
    validation: Part | None = None
    test: Part = Part(fraction=0.0)
    budget_seconds: float | None = Field(None, gt=0)
    priority: int = Field(0, ge=-100, le=100)
    tags: dict[Annotated[str, StringConstraints(min_length=1, max_length=100)], Tag] = {}

    @model_validator(mode="wrap")
    @classmethod
    def _names_are_known(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Refuse unknown fields before what is missing: a misspelt name is both."""
        known = sorted({*cls.model_fields, *(field.name for field in fields(TrainingConfig))})
        names = given if isinstance(given, dict) else ()
        if unknown := [_unknown_field(name, known) for name in names if name not in known]:
            raise ValidationError.from_exception_data(cls.__name__, unknown)
        return handler(given)


def _unknown_field(name: str, known: list[str]) -> InitErrorDetails:
    close = get_close_matches(name[:100], known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
    # As an argument, since braces in a message are filled in.
    error = PydanticCustomError("unknown_field", "unknown field; {hint}", {"hint": hint})
    return InitErrorDetails(type=error, loc=(name,), input=None)


class JobProgress(BaseModel):
    """How far a job is; `eta_seconds` is null until it can be told."""

    epoch: int
    epochs: int
    step: int
    steps: int
    fraction: float
    eta_seconds: float | None


class JobRead(BaseModel):
    """A job."""

    id: str
    name: str
    status: Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]
    dataset_id: str
    model_id: str | None
    attempt: int
    progress: JobProgress
    metrics: dict[str, float]
    error: dict[str, Any] | None
    spec: dict[str, Any]
    created_at: str
    started_at: str | None
    finished_at: str | None
    links: dict[str, str]


class JobPage(BaseModel):
    """Jobs, newest first."""

    items: list[JobRead]
    next_cursor: str | None


class History(BaseModel):
    """One item an epoch: `epoch`, `step`, `loss` and the metrics by name."""

    items: list[dict[str, int | float]]


class PlannedLayer(BaseModel):
    """What a layer will be."""

    name: str
    type: str
    output_shape: list[int | None]
    parameters: int
    flops: int


class Plan(BaseModel):
    """What a job would be, without running it."""

    layers: list[PlannedLayer]
    parameters: int
    memory_bytes: int
    seconds_per_epoch: float
    warnings: list[str]
    spec: dict[str, Any]
