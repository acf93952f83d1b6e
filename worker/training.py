"""The training of a claimed job: from its beginning or its last checkpoint to a model."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import structlog
from safetensors.numpy import save
from sqlalchemy.orm import Session

from nncore import Epoch, Network, Step, Training, TrainingConfig, TrainingState, evaluate
from nncore.losses import Loss
from nncore.preprocessing import PreprocessingError
from service.errors import Damaged
from service.store import checkpoints, datasets, epochs, leases, models
from service.store.checkpoints import CheckpointRow, Progress
from service.store.epochs import EpochReport
from service.store.fingerprints import differences
from service.store.leases import Claim
from worker import checkpoint, fingerprint
from worker.data import Prepared, link, prepare
from worker.heartbeat import Heartbeat, RestRequested
from worker.lineage import lineage

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
    clock: checkpoint.Clock
    origin: checkpoint.Origin

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
    _finish(run, training.params, *_outcome(run, training))


def _prepare(heart: Heartbeat) -> Run:
    claim, spec = heart.claim, heart.claim.spec
    dataset, data = heart.read(lambda session: _dataset(session, claim))
    network = Network.from_spec(spec["network"])
    config = TrainingConfig.parse({key: spec[key] for key in _CONFIG_KEYS})
    assert isinstance(config.loss, Loss), "a resolved spec names its loss"
    prepared = prepare(spec, config.loss.type_name, network, data, dataset.columns)
    clock = checkpoint.Clock(heart.checkpoint_seconds)
    origin = checkpoint.Origin(fingerprint.take(spec["shards"]))
    return Run(heart, dataset, network, config, prepared, clock, origin)


def _dataset(session: Session, claim: Claim) -> tuple[datasets.DatasetRow, bytes]:
    dataset = datasets.get(session, claim.tenant, claim.dataset_id)
    return dataset, datasets.data(session, dataset)


def _begin(run: Run) -> Training:
    """The training at its last checkpoint that can be used, or at its beginning."""
    heart, claim = run.heart, run.heart.claim
    kept = heart.read(lambda session: checkpoints.newest_first(session, claim.tenant, claim.job_id))
    messages = []
    for row in kept:
        try:
            training = _resumed(run, row)
        except (Damaged, ValueError) as error:
            _log.warning("a checkpoint is passed over", step=row.step, why=str(error))
            messages.append(f"The checkpoint of step {row.step} is damaged and is passed over")
        else:
            messages.append(f"Goes on after step {row.step}")
            heart.begin(row.progress, *messages, *run.origin.notes)
            return training
    try:
        training = _training(run, None)
    except ValueError as error:  # what shows only when all rows are read
        raise PreprocessingError("", str(error)) from error
    heart.begin(Progress(0, 0, 0), *messages)
    return training


def _resumed(run: Run, row: CheckpointRow) -> Training:
    data = run.heart.read(lambda session: checkpoints.read(session, row))
    state, origin = checkpoint.decode(data)
    training = _training(run, state)
    changes = differences(origin.fingerprint, run.origin.fingerprint)
    if changes:
        note = f"Went on after step {row.step} where results may differ: {'; '.join(changes)}."
        run.origin = replace(run.origin, notes=(*origin.notes, note))
    else:
        run.origin = replace(run.origin, notes=origin.notes)
    return training


def _training(run: Run, resume: TrainingState | None) -> Training:
    return Training(
        run.network,
        run.network.init(seed=run.heart.claim.spec["seed"]),
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
    rest = heart.asked_to_rest
    if rest or run.clock.due:
        began = time.monotonic()
        at = heart.progress(step.epoch, step.step)
        heart.checkpoint(at, checkpoint.encode(step.state(), run.origin))
        run.clock.taken(time.monotonic() - began)
    if rest:
        raise RestRequested


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
        progress = heart.progress(row.number, row.step)
        best = training.restored_epoch
        if best is not None:
            row = epochs.find(session, claim.tenant, claim.job_id, best) or row
        return {key: row.metrics[key] for key in row.metrics if key not in _TAKEN}, progress

    return heart.read(read)


def _finish(
    run: Run, params: dict[str, Any], metrics: dict[str, float], progress: Progress
) -> None:
    heart, claim, spec = run.heart, run.heart.claim, run.heart.claim.spec
    final = metrics | _held_out(run, params, first=not metrics)
    weights = save({name: np.ascontiguousarray(value) for name, value in params.items()})
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
            lineage=lineage(claim, run.dataset, run.origin.notes),
            weights=weights,
            job_id=claim.job_id,
        )
        leases.succeed(session, claim, model.id, progress, final)

    heart.check()
    heart.finish(finish)


def _held_out(run: Run, params: dict[str, Any], *, first: bool) -> dict[str, float]:
    """Metrics of the test part; of a run of no epochs, those of the other parts too."""
    parts = {"test_": run.prepared.test}
    if first:
        parts |= {"": run.prepared.training, "val_": run.prepared.validation}
    found: dict[str, float] = {}
    for prefix, part in parts.items():
        if part is not None:
            scores = evaluate(
                run.network,
                params,
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
