"""What is to be learned: the task, the loss and the metrics that fit the target."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nncore import Network, TrainingConfig
from service.errors import Invalid, Mistake
from service.jobs.features import Column, unknown_column
from service.jobs.schemas import JobCreate

LOSSES = {
    "classification": ("cross_entropy", "binary_cross_entropy", "mean_squared_error"),
    "multilabel": ("binary_cross_entropy", "mean_squared_error"),
    "regression": ("mean_squared_error",),
    "reconstruction": ("mean_squared_error", "binary_cross_entropy"),
}
_ERROR_METRICS = ("mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2")
METRICS = {
    "classification": ("accuracy",),
    "multilabel": ("accuracy",),
    "regression": _ERROR_METRICS,
    "reconstruction": _ERROR_METRICS,
}
DEFAULT_METRICS = {
    "classification": ("accuracy",),
    "multilabel": ("accuracy",),
    "regression": ("mean_absolute_error", "r2"),
    "reconstruction": ("mean_absolute_error",),
}
_BOUNDED = ("sigmoid", "tanh", "softmax")


@dataclass(frozen=True, slots=True)
class Target:
    """What the network's output is compared with; `shape` of one encoded target."""

    task: str
    shape: tuple[int, ...]
    classes: int | None


def infer(
    job: JobCreate, columns: Mapping[str, Column], loss: str | None, network: Network
) -> Target:
    """The task from what is said, else from the target's type and the network's output.

    Raises:
        Invalid: there is no such column, or the target does not suit the task.
    """
    if job.target is None:
        return _without_target(job, network)
    if job.target not in columns:
        raise Invalid(Mistake("/target", unknown_column(job.target, columns)))
    column = columns[job.target]
    if column["missing"]:
        raise Invalid(
            Mistake(
                "/target",
                f"{column['missing']} rows have no value in {job.target!r}; "
                "remove these rows from the data",
            )
        )
    task = job.task or _guess(column, loss, network)
    if task == "reconstruction":
        raise Invalid(Mistake("/target", "a reconstruction learns its own input; leave it out"))
    if task == "classification":
        return Target(task, (), _classes(column))
    if column["type"] not in ("number", "boolean", "tensor"):
        raise Invalid(
            Mistake("/task", f"the target {job.target!r} is no number; use classification")
        )
    shape = tuple(column["shape"]) if column["type"] == "tensor" else (1,)
    return Target(task, shape, None)


def _without_target(job: JobCreate, network: Network) -> Target:
    if job.task != "reconstruction":
        raise Invalid(Mistake("/target", "name the column to predict"))
    if None in network.input_shape:
        raise Invalid(Mistake("/network/input/shape", "a reconstruction needs a fixed shape"))
    return Target("reconstruction", tuple(size or 0 for size in network.input_shape), None)


def _guess(column: Column, loss: str | None, network: Network) -> str:
    if column["type"] in ("category", "boolean", "text") or loss == "cross_entropy":
        return "classification"
    if column["type"] == "tensor":
        return "multilabel" if loss == "binary_cross_entropy" else "regression"
    if loss == "binary_cross_entropy":
        return "classification"
    if loss is None and column.get("integer"):
        # Several outputs for one whole number are its classes; so is one sigmoid for two numbers.
        outputs = network.output_shape[-1] if network.output_shape else 1
        if outputs != 1 or (network.final_activation == "sigmoid" and column["distinct"] == 2):
            return "classification"
    return "regression"


def _classes(column: Column) -> int:
    name = column["name"]
    if column["type"] == "boolean":
        return 2
    if column["type"] == "category":
        return len(column["categories"])
    if column["type"] == "number" and column.get("integer"):
        return int(column["distinct"])
    raise Invalid(
        Mistake(
            "/task",
            f"the target {name!r} is a {column['type']} column whose values are no classes; "
            "use whole numbers or names of classes, or the task regression",
        )
    )


def default_loss(target: Target, network: Network) -> str:
    """The usual loss of the task."""
    if target.task == "classification":
        binary = target.classes == 2 and math.prod(_sizes(network)) == 1
        return "binary_cross_entropy" if binary else "cross_entropy"
    return "binary_cross_entropy" if target.task == "multilabel" else "mean_squared_error"


def default_target_scale(job: JobCreate, target: Target, network: Network) -> str:
    """Standardised for a regression, unless the user works in numbers of their own.

    A bounded last activation cannot reach standardised values, and who asks for unscaled
    features wants to see unscaled losses.
    """
    if target.task != "regression" or job.features.scale == "none":
        return "none"
    return "none" if network.final_activation in _BOUNDED else "standard"


def loss_name(config: TrainingConfig) -> str | None:
    """The loss's name, if one is given; raises Invalid for losses of several outputs."""
    if isinstance(config.loss, dict):
        raise Invalid(Mistake("/loss", "expected one loss: a job trains one output"))
    return config.loss.type_name if config.loss else None


def check_fit(target: Target, config: TrainingConfig, network: Network) -> None:
    """The loss, the metrics and the network's output fit the target; raises Invalid."""
    loss = loss_name(config) or ""
    if loss not in LOSSES[target.task]:
        raise Invalid(
            Mistake(
                "/loss", f"{loss} does not suit {target.task}; use {', '.join(LOSSES[target.task])}"
            )
        )
    if isinstance(config.metrics, dict):
        raise Invalid(Mistake("/metrics", "expected a list: a job trains one output"))
    for index, metric in enumerate(each.type_name for each in config.metrics):
        if metric not in METRICS[target.task]:
            raise Invalid(
                Mistake(
                    f"/metrics/{index}",
                    f"{metric} does not suit {target.task}; use {', '.join(METRICS[target.task])}",
                )
            )
    expected = (target.classes,) if loss == "cross_entropy" else target.shape or (1,)
    if target.task == "classification" and loss != "cross_entropy" and target.classes != 2:
        raise Invalid(
            Mistake("/loss", f"{loss} takes two classes, the target has {target.classes}")
        )
    if network.output_shape != expected:
        raise Invalid(Mistake(*_misfit(target, expected, network)))


def _misfit(target: Target, expected: tuple[Any, ...], network: Network) -> tuple[str, str]:
    last = len(network.nodes) - 1
    got = list(network.output_shape)
    wanted = f"{target.classes} classes" if target.classes else f"the shape {list(target.shape)}"
    field = "/units" if network.nodes[last].type == "dense" and len(got) == 1 else ""
    mend = f"{expected[0]} units" if len(expected) == 1 else f"an output of {list(expected)}"
    flatten = " after a flatten layer" if len(got) > len(expected) else ""
    detail = (
        f"the network's output has the shape {got}, but the target has {wanted}; "
        f"end with {mend}{flatten}"
    )
    return f"/network/layers/{last}{field}", detail


def _sizes(network: Network) -> tuple[int, ...]:
    return tuple(size or 0 for size in network.output_shape)
