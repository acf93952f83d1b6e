"""What is to be learned: the task, the loss and the metrics that fit the target."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nncore import Network, TrainingConfig
from nncore.metrics import Metric
from service.errors import Invalid, Mistake
from service.jobs.features import Column, unknown_column
from service.jobs.schemas import JobCreate

_ERROR_LOSSES = (
    "mean_squared_error",
    "half_sum_squared_error",
    "root_mean_squared_error",
    "mean_absolute_error",
    "huber",
    "log_cosh",
)
LOSSES = {
    "classification": (
        "cross_entropy",
        "binary_cross_entropy",
        "mean_squared_error",
        "half_sum_squared_error",
    ),
    "multilabel": ("binary_cross_entropy", "mean_squared_error"),
    "regression": _ERROR_LOSSES,
    "reconstruction": (*_ERROR_LOSSES, "binary_cross_entropy"),
}
_ERROR_METRICS = (
    "mean_squared_error",
    "root_mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "r2",
)
_CLASS_METRICS = ("accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "brier")
METRICS = {
    "classification": (*_CLASS_METRICS, "top_k_accuracy"),
    "multilabel": ("accuracy", "binary_accuracy"),
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
    if column["type"] == "tensor" and not _is_scalar(column):
        return "multilabel" if loss == "binary_cross_entropy" else "regression"
    if loss == "binary_cross_entropy":
        return "classification"
    if loss is None and column.get("integer"):
        # Several outputs for one whole number are its classes; so is one sigmoid for two numbers.
        outputs = network.output_shape[-1] if network.output_shape else 1
        if outputs != 1 or (network.final_activation == "sigmoid" and column["distinct"] == 2):
            return "classification"
    return "regression"


def _is_scalar(column: Column) -> bool:
    """One number a row, be it written as [n]."""
    return column["type"] == "number" or list(column["shape"]) == [1]


def _classes(column: Column) -> int:
    name = column["name"]
    counted = column["type"] in ("boolean", "category") or column.get("integer")
    if counted and column.get("distinct_exact", True):
        if column["distinct"] < 2:
            detail = f"every row has the same value in {name!r}; a classifier needs two or more"
            raise Invalid(Mistake("/target", detail))
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


def metrics(config: TrainingConfig) -> tuple[Metric, ...]:
    """The metrics of the one output; raises Invalid for metrics of several."""
    if isinstance(config.metrics, dict):
        raise Invalid(Mistake("/metrics", "expected a list: a job trains one output"))
    return config.metrics


def check_fit(target: Target, config: TrainingConfig, network: Network) -> None:
    """The loss, the metrics and the network's output fit the target; raises Invalid."""
    loss = loss_name(config) or ""
    if loss not in LOSSES[target.task]:
        raise Invalid(
            Mistake(
                "/loss", f"{loss} does not suit {target.task}; use {', '.join(LOSSES[target.task])}"
            )
        )
    for index, metric in enumerate(each.type_name for each in metrics(config)):
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


def warnings(config: TrainingConfig, network: Network) -> list[str]:
    """What runs, but hardly as it was meant."""
    loss, last = loss_name(config), network.final_activation
    found = []
    if last == "softmax" and network.output_shape[-1] == 1:
        found.append("A softmax over one unit is always 1: use sigmoid.")
    if loss == "cross_entropy" and last in ("sigmoid", "tanh", "relu"):
        found.append(
            f"cross_entropy takes the outputs of {last} for logits, which it bounds: leave the "
            "last activation out, or use softmax."
        )
    return found


def _misfit(target: Target, expected: tuple[Any, ...], network: Network) -> tuple[str, str]:
    last = len(network.nodes) - 1
    got = list(network.output_shape)
    wanted = f"{target.classes} classes" if target.classes else f"the shape {list(target.shape)}"
    field = "/units" if network.nodes[last].type == "dense" and len(got) == 1 else ""
    units = "1 unit" if expected == (1,) else f"{expected[0]} units"
    mend = units if len(expected) == 1 else f"an output of {list(expected)}"
    flatten = " after a flatten layer" if len(got) > len(expected) else ""
    detail = (
        f"the network's output has the shape {got}, but the target has {wanted}; "
        f"end with {mend}{flatten}"
    )
    return f"/network/layers/{last}{field}", detail


def _sizes(network: Network) -> tuple[int, ...]:
    return tuple(size or 0 for size in network.output_shape)
