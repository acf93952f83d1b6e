"""From what a user sent to the complete spec: every default filled in, every mistake refused.

Resolving a resolved spec gives the same spec, so a job can be repeated from its answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nncore import Network, TrainingConfig
from nncore.early_stopping import direction
from nncore.errors import DocumentError
from nncore.preprocessing import split_sizes
from service.errors import Invalid, Mistake
from service.jobs import features, tasks
from service.jobs.schemas import JobCreate
from service.settings import Settings
from service.store.datasets import DatasetRow

SMALLEST_SPLIT = 50  # rows below which nothing is held out unless asked for
DEFAULT_VALIDATION = 0.2
_INFERRED = ("loss", "metrics")  # null stands for what suits the task


@dataclass(frozen=True, slots=True)
class Resolved:
    """A spec that will run, and what was found on the way."""

    spec: dict[str, Any]
    network: Network
    config: TrainingConfig
    training_rows: int
    steps_per_epoch: int
    warnings: list[str]

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.steps_per_epoch * self.config.epochs


def resolve(job: JobCreate, dataset: DatasetRow, settings: Settings) -> Resolved:
    """The job's spec for this dataset.

    Raises:
        Invalid: with pointers into the job.
    """
    given = _training_fields(job)
    config = _parsed(TrainingConfig.parse, given, "")
    columns = {column["name"]: column for column in dataset.columns}
    inputs = features.choose(job.features, dataset.columns, job.target)
    features.check_input_shape(job.network, inputs.shape)
    network = _parsed(lambda spec: Network.from_spec(spec, inputs.shape), job.network, "/network")
    _check_single(network)
    target = tasks.infer(job, columns, tasks.loss_name(config), network)
    defaults = {
        "loss": tasks.default_loss(target, network),
        "metrics": list(tasks.DEFAULT_METRICS[target.task]),
    }
    config = _parsed(TrainingConfig.parse, defaults | given, "")
    tasks.check_fit(target, config, network)
    validation = job.validation.fraction if job.validation else _default_validation(dataset.rows)
    rows, held_out, _ = _split(job, dataset.rows, validation)
    config = config.divided(network.shards, rows)
    _check_early_stopping(config, held_out)
    _check_memory(network, min(config.batch_size or rows, rows), settings)
    spec = {
        "name": job.name or dataset.name,
        "dataset_id": dataset.id,
        "target": job.target,
        "features": _features(job, inputs.names, network),
        "task": target.task,
        "target_scale": job.target_scale or tasks.default_target_scale(job, target, network),
        "network": network.to_spec(),
        **config.to_document(),
        "validation": {"fraction": validation},
        "test": {"fraction": job.test.fraction},
        "budget_seconds": job.budget_seconds,
        "priority": job.priority,
        "tags": job.tags,
    }
    batches = -(-rows // (config.batch_size or rows))
    steps = -(-batches // config.accumulate_steps)
    warnings = inputs.warnings + _warnings(config, rows, validation, job.test.fraction)
    warnings += tasks.warnings(config, network)
    return Resolved(spec, network, config, rows, steps, warnings)


def _features(job: JobCreate, names: list[str], network: Network) -> dict[str, Any]:
    given = job.features.model_dump(exclude={"include", "columns"})
    if network.to_spec()["input"].get("dtype") == "int32":
        if "scale" in job.features.model_fields_set and given["scale"] != "none":
            raise Invalid(Mistake("/features/scale", 'token ids are not scaled; use "none"'))
        given["scale"] = "none"
    columns = {
        name: options.model_dump(exclude_none=True)
        for name, options in job.features.columns.items()
    }
    return {**given, "include": names, "columns": columns}


def _training_fields(job: JobCreate) -> dict[str, Any]:
    given = {
        name: value
        for name, value in (job.model_extra or {}).items()
        if value is not None or name not in _INFERRED
    }
    if isinstance(given.get("metrics"), list):
        # The loss is always reported; elsewhere it goes by the same kind of name.
        given["metrics"] = [name for name in given["metrics"] if name != "loss"]
    return given


def _parsed(parse: Any, document: Any, prefix: str) -> Any:
    try:
        return parse(document)
    except DocumentError as error:
        raise Invalid(Mistake(prefix + error.pointer, error.detail)) from error


def _default_validation(rows: int) -> float:
    return DEFAULT_VALIDATION if rows >= SMALLEST_SPLIT else 0.0


def _split(job: JobCreate, rows: int, validation: float) -> tuple[int, int, int]:
    """Rows of the training, validation and test parts."""
    test = job.test.fraction
    if validation + test >= 1:
        raise Invalid(
            Mistake(
                "/validation/fraction" if job.validation else "/test/fraction",
                f"validation ({validation:g}) and test ({test:g}) leave no rows to train on; "
                "hold out less",
            )
        )
    return split_sizes(rows, (validation, test))


def _check_single(network: Network) -> None:
    """A job's dataset feeds one input and one output."""
    if network.spec.inputs is not None:
        raise Invalid(Mistake("/network/inputs", 'a job feeds one input: give "input" instead'))
    if len(network.output_shapes) > 1:
        names = ", ".join(network.output_shapes)
        raise Invalid(Mistake("/network/outputs", f"a job trains one output, got {names}"))


def _check_early_stopping(config: TrainingConfig, held_out: int) -> None:
    stopping = config.early_stopping
    if stopping is None:
        return
    if stopping.metric.startswith("val_") and not held_out:
        raise Invalid(
            Mistake(
                "/early_stopping/metric",
                f"{stopping.metric} needs validation rows; set validation.fraction or use "
                f"{stopping.metric.removeprefix('val_')}",
            )
        )
    signs = {
        metric.type_name: 1 if metric.greater_is_better else -1
        for metric in tasks.metrics(config)
        if metric.is_number
    }
    pointer = "/early_stopping/metric"
    _parsed(lambda name: direction(name, signs, held_out > 0, pointer), stopping.metric, "")


def _check_memory(network: Network, batch: int, settings: Settings) -> None:
    need = network.memory_bytes(batch)
    if need > settings.max_network_bytes:
        largest = max(range(len(network.nodes)), key=lambda i: network.nodes[i].parameters)
        name = network.nodes[largest].name
        raise Invalid(
            Mistake(
                f"/network/layers/{largest}",
                f"training would take about {need / 2**20:,.0f} MiB, more than the limit of "
                f"{settings.max_network_bytes / 2**20:,.0f}; {name} is the largest layer: "
                "make it smaller, or use a smaller batch",
            )
        )


def _warnings(config: TrainingConfig, rows: int, validation: float, test: float) -> list[str]:
    found = []
    if config.epochs == 0:
        found.append("epochs is 0: the model keeps its initial weights.")
    if config.batch_size is not None and config.batch_size > rows:
        found.append(
            f"batch_size {config.batch_size} is more than the {rows} training rows: full batch."
        )
    if not validation and not test:
        found.append("No rows are held out: the metrics do not show how it does on other data.")
    return found
