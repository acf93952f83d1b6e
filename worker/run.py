"""One attempt at a job, from its claim to an end that is recorded."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import structlog
from safetensors.numpy import save

from nncore import DivergedError, Epoch, Network, Step, Training, TrainingConfig, evaluate
from nncore.losses import Loss
from nncore.preprocessing import PreprocessingError
from service.errors import GradserveError, LeaseLost, job_error
from service.settings import Settings
from service.store import datasets, leases, models
from service.store.database import Database
from service.store.epochs import EpochReport
from service.store.leases import Claim, Progress
from worker.data import Prepared, link, prepare
from worker.heartbeat import BudgetExceeded, CancelRequested, Heartbeat, WorkerStopping
from worker.lineage import lineage

_log = structlog.get_logger(__name__)


def run(database: Database, claim: Claim, settings: Settings, stopping: Callable[[], bool]) -> None:
    """Train the claimed job; whatever happens is written under its token, or not at all."""
    _log.info("starts")
    try:
        with Heartbeat(database, claim, settings, stopping) as heart:
            _run(heart)
    except LeaseLost as lost:
        _log.warning("stops: the job is no longer ours", reason=lost.detail)


def _run(heart: Heartbeat) -> None:
    claim = heart.claim
    try:
        _train(heart)
        _log.info("succeeded")
    except CancelRequested:
        heart.finish(lambda session: leases.cancelled(session, claim))
        _log.info("cancelled")
    except WorkerStopping:
        heart.finish(lambda session: leases.release(session, claim))
        _log.info("given back to the queue")
    except LeaseLost:
        raise
    except Exception as problem:
        error = _job_error(problem, claim)
        heart.finish(lambda session: leases.fail(session, claim, error))
        _log.warning("failed", exc_info=error["type"] == "internal", **error)


def _train(heart: Heartbeat) -> None:
    claim, spec = heart.claim, heart.claim.spec
    dataset, data = heart.write(lambda session: _dataset(session, claim))
    network = Network.from_spec(spec["network"])
    config = TrainingConfig.parse({key: spec[key] for key in _CONFIG_KEYS})
    assert isinstance(config.loss, Loss), "a resolved spec names its loss"
    loss = config.loss.type_name
    prepared = prepare(spec, loss, network, data, dataset.columns)
    del data
    params = network.init(seed=spec["seed"])

    restores = config.early_stopping is not None and config.early_stopping.restore_best
    metrics: dict[str, float] = {}
    progress = Progress(0, 0, 0)
    for epoch in _training(heart, network, params, prepared, config):
        reported = _record(heart, epoch)
        if not restores or epoch.best_epoch == epoch.number:
            metrics = reported  # of the weights that the run will end with
        progress = Progress(epoch.number, epoch.step, heart.elapsed_ms)
    final = metrics | _held_out(network, params, prepared, config, first=not metrics)
    weights = save({name: np.ascontiguousarray(value) for name, value in params.items()})

    def finish(session: Any) -> None:
        model = models.add(
            session,
            claim.tenant,
            name=claim.name,
            task=spec["task"],
            network=network.to_spec(),
            preprocessing=prepared.document() | {"link": link(spec["task"], loss, network)},
            metrics=final,
            lineage=lineage(claim, dataset),
            weights=weights,
            job_id=claim.job_id,
        )
        leases.succeed(session, claim, model.id, progress, final)

    heart.check()
    heart.finish(finish)


def _training(
    heart: Heartbeat,
    network: Network,
    params: dict[str, Any],
    prepared: Prepared,
    config: TrainingConfig,
) -> Training:
    try:
        return Training(
            network,
            params,
            *prepared.training,
            config,
            validation=prepared.validation,
            on_step=lambda step: _on_step(heart, step),
            decode=prepared.decode,
        )
    except ValueError as error:  # what shows only when all rows are read
        raise PreprocessingError("", str(error)) from error


_CONFIG_KEYS = [field.name for field in fields(TrainingConfig)]


def _dataset(session: Any, claim: Claim) -> tuple[datasets.DatasetRow, bytes]:
    dataset = datasets.get(session, claim.tenant, claim.dataset_id)
    return dataset, datasets.data(session, dataset)


def _on_step(heart: Heartbeat, step: Step) -> None:
    heart.check()
    heart.report(step.epoch, step.step)


def _record(heart: Heartbeat, epoch: Epoch) -> dict[str, float]:
    metrics = _finite({"loss": epoch.loss, **epoch.metrics})
    taken = {"learning_rate": epoch.learning_rate, "gradient_norm": epoch.gradient_norm}
    heart.record(EpochReport(epoch.number, epoch.step, metrics, metrics | taken))
    return metrics


def _held_out(
    network: Network,
    params: dict[str, Any],
    prepared: Prepared,
    config: TrainingConfig,
    *,
    first: bool,
) -> dict[str, float]:
    """Metrics of the test part; of a run of no epochs, those of the other parts too."""
    parts = {"test_": prepared.test}
    if first:
        parts |= {"": prepared.training, "val_": prepared.validation}
    found: dict[str, float] = {}
    for prefix, part in parts.items():
        if part is not None:
            scores = evaluate(
                network, params, *part, config.loss or "", config.metrics, decode=prepared.decode
            )
            found |= {prefix + name: value for name, value in scores.items()}
    return _finite(found)


def _finite(metrics: dict[str, float]) -> dict[str, float]:
    """Without what JSON cannot say: squares of targets near the limits of float64 overflow."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _job_error(problem: Exception, claim: Claim) -> dict[str, Any]:
    """The `error` of the failed job, in words for its owner."""
    match problem:
        case BudgetExceeded():
            budget = claim.spec["budget_seconds"]
            detail = f"The run took longer than its budget of {budget} s. Raise budget_seconds."
            return job_error("budget_exceeded", detail)
        case DivergedError():
            detail = f"{str(problem)[0].upper()}{str(problem)[1:]}."
            return job_error("diverged", detail, epoch=problem.epoch, step=problem.step)
        case MemoryError():
            detail = "The run needs more memory than there is. Try a smaller network or batch."
            return job_error("out_of_memory", detail)
        case PreprocessingError() | GradserveError():
            return job_error("invalid_data", str(problem.detail))
        case _:
            detail = f"The run failed unexpectedly ({type(problem).__name__}); see worker's log."
            return job_error("internal", detail)
