"""The training of a claimed job: from its beginning or its last checkpoint to a model."""

from __future__ import annotations

import math
import platform
import time
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import Any

import numpy as np
import structlog
from safetensors.numpy import save
from sqlalchemy.orm import Session

from nncore import Epoch, Network, Step, Training, TrainingConfig, evaluate
from nncore.losses import Loss
from nncore.preprocessing import PreprocessingError
from service.store import datasets, epochs, leases, models
from service.store.epochs import EpochReport
from service.store.leases import Claim, Progress
from worker import checkpoint
from worker.data import Prepared, link, prepare
from worker.heartbeat import Heartbeat

_CONFIG_KEYS = [field.name for field in fields(TrainingConfig)]
_TAKEN = ("learning_rate", "gradient_norm")  # of an epoch's history what is no metric of the model

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Run:
    """What belongs to one attempt."""

    heart: Heartbeat
    dataset: datasets.DatasetRow
    network: Network
    config: TrainingConfig
    prepared: Prepared
    params: dict[str, Any]
    clock: checkpoint.Clock

    @property
    def loss(self) -> str:
        """The name of the loss, which a resolved spec has."""
        assert isinstance(self.config.loss, Loss)
        return self.config.loss.type_name


def train(heart: Heartbeat) -> None:
    """Train to the end and finish the job with a model; raises what ends it otherwise."""
    run = _prepare(heart)
    training = _begin(run)
    for epoch in training:
        _record(heart, epoch)
    _finish(run, *_outcome(run, training))


def _prepare(heart: Heartbeat) -> Run:
    claim, spec = heart.claim, heart.claim.spec
    dataset, data = heart.write(lambda session: _dataset(session, claim))
    network = Network.from_spec(spec["network"])
    config = TrainingConfig.parse({key: spec[key] for key in _CONFIG_KEYS})
    assert isinstance(config.loss, Loss), "a resolved spec names its loss"
    prepared = prepare(spec, config.loss.type_name, network, data, dataset.columns)
    params = network.init(seed=spec["seed"])
    clock = checkpoint.Clock(heart.checkpoint_seconds)
    return Run(heart, dataset, network, config, prepared, params, clock)


def _dataset(session: Session, claim: Claim) -> tuple[datasets.DatasetRow, bytes]:
    dataset = datasets.get(session, claim.tenant, claim.dataset_id)
    return dataset, datasets.data(session, dataset)


def _begin(run: Run) -> Training:
    """The training at its last whole checkpoint, or at its beginning."""
    claim = run.heart.claim
    states = run.heart.write(lambda session: list(checkpoint.whole(session, claim)))
    for state in states:
        try:
            training = _training(run, state)
        except ValueError as error:
            _log.warning("a checkpoint is of another run", why=str(error))
        else:
            run.heart.write(lambda session: leases.log(session, claim, "Goes on from a checkpoint"))
            return training
    try:
        return _training(run, None)
    except ValueError as error:  # what shows only when all rows are read
        raise PreprocessingError("", str(error)) from error


def _training(run: Run, resume: Any) -> Training:
    return Training(
        run.network,
        run.params,
        *run.prepared.training,
        run.config,
        validation=run.prepared.validation,
        on_step=lambda step: _on_step(run, step),
        decode=run.prepared.decode,
        resume=resume,
    )


def _on_step(run: Run, step: Step) -> None:
    heart = run.heart
    heart.check()
    heart.report(step.epoch, step.step)
    if heart.asked_to_rest or run.clock.due:
        began = time.monotonic()
        heart.checkpoint(step.step, checkpoint.encode(step.state()))
        run.clock.taken(time.monotonic() - began)
        if heart.asked_to_rest:
            heart.rest()


def _record(heart: Heartbeat, epoch: Epoch) -> None:
    metrics = _finite({"loss": epoch.loss, **epoch.metrics})
    taken = dict(zip(_TAKEN, (epoch.learning_rate, epoch.gradient_norm), strict=True))
    heart.record(EpochReport(epoch.number, epoch.step, metrics, metrics | taken))


def _outcome(run: Run, training: Training) -> tuple[dict[str, float], Progress]:
    """The metrics of the weights that the run ended with, and where it ended.

    They are read from the history, since an earlier attempt may have trained the epoch.
    """
    heart, claim = run.heart, run.heart.claim
    heart.flush()

    def read(session: Session) -> tuple[dict[str, float], Progress]:
        last = epochs.last(session, claim.tenant, claim.job_id)
        row = epochs.find(session, claim.tenant, claim.job_id, last)
        if row is None:
            return {}, Progress(0, 0, 0)
        progress = Progress(row.number, row.step, heart.elapsed_ms)
        best = training.restored_epoch
        if best is not None:
            row = epochs.find(session, claim.tenant, claim.job_id, best) or row
        return {key: row.metrics[key] for key in row.metrics if key not in _TAKEN}, progress

    return heart.write(read)


def _finish(run: Run, metrics: dict[str, float], progress: Progress) -> None:
    heart, claim, spec = run.heart, run.heart.claim, run.heart.claim.spec
    final = metrics | _held_out(run, first=not metrics)
    weights = save({name: np.ascontiguousarray(value) for name, value in run.params.items()})
    preprocessing = run.prepared.document() | {"link": link(spec["task"], run.loss, run.network)}

    def finish(session: Session) -> None:
        model = models.add(
            session,
            claim.tenant,
            name=claim.name,
            task=spec["task"],
            network=run.network.to_spec(),
            preprocessing=preprocessing,
            metrics=final,
            lineage=_lineage(claim, run.dataset),
            weights=weights,
            job_id=claim.job_id,
        )
        leases.succeed(session, claim, model.id, progress, final)

    heart.check()
    heart.finish(finish)


def _held_out(run: Run, *, first: bool) -> dict[str, float]:
    """Metrics of the test part; of a run of no epochs, those of the other parts too."""
    parts = {"test_": run.prepared.test}
    if first:
        parts |= {"": run.prepared.training, "val_": run.prepared.validation}
    found: dict[str, float] = {}
    for prefix, part in parts.items():
        if part is not None:
            scores = evaluate(
                run.network,
                run.params,
                *part,
                run.config.loss or "",
                run.config.metrics,
                decode=run.prepared.decode,
            )
            found |= {prefix + name: value for name, value in scores.items()}
    return _finite(found)


def _finite(metrics: dict[str, float]) -> dict[str, float]:
    """Without what JSON cannot say: squares of targets near the limits of float64 overflow."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _lineage(claim: Claim, dataset: datasets.DatasetRow) -> dict[str, Any]:
    return {
        "job_id": claim.job_id,
        "dataset_id": dataset.id,
        "dataset_sha256": dataset.sha256,
        "seed": claim.spec["seed"],
        "versions": {
            "gradserve": version("gradserve"),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
