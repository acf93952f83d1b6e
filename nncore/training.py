"""Training as a generator: one Epoch after the other, the weights changed in place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nncore.accumulation import Accumulated, accumulated, check_accumulation, weighted
from nncore.arrays import Params, dtype_of
from nncore.averaging import Average
from nncore.budgets import Stop
from nncore.class_weights import with_class_weights
from nncore.course import Course
from nncore.early_stopping import Stopper, direction
from nncore.errors import ConfigError, DivergedError
from nncore.evaluation import checked_examples, scores
from nncore.examples import Examples, Named, Rows
from nncore.execution import first_not_finite
from nncore.executor import Batch, Executor
from nncore.gradients import layer_not_finite, limit
from nncore.measures import measures
from nncore.network import Network
from nncore.reports import Epoch, Position, Step
from nncore.resuming import run_of
from nncore.scores import Decode, Scores
from nncore.seeds import generator
from nncore.training_config import TrainingConfig
from nncore.training_state import TrainingState
from nncore.updates import Updates, flat
from nncore.weights import check_trainable

_EVALUATION_BATCH = 256

OnStep = Callable[[Step], None]
Given = tuple[Any, ...]
"""Validation examples: (x, y) or (x, y, sample_weight)."""


def fit(
    network: Network,
    params: Params,
    x: Named,
    y: Named,
    config: TrainingConfig | Mapping[str, Any],
    validation: Given | None = None,
    on_step: OnStep | None = None,
    decode: Decode | Mapping[str, Decode] | None = None,
    sample_weight: Named | None = None,
    stop: Stop | None = None,
    resume: TrainingState | None = None,
) -> Iterator[Epoch]:
    """Train on x (N, ...) and y (as the loss wants it), yielding after each epoch.

    `params` (writable, as from `init`) change in place. `on_step` is called after each step and may
    raise to stop. `decode` turns predictions and targets into the units that metrics are read in.
    `stop`, asked after each step, ends the run in good order when it says True. `resume` goes on
    from another run's state: params become what they were. Mappings by name stand for several
    inputs and outputs. Raises ConfigError, StateError or ValueError at once, DivergedError when a
    loss or gradient is not finite.
    """
    return iter(
        Training(
            network, params, x, y, config, validation, on_step, decode, sample_weight, stop, resume
        )
    )


class Training:
    """A run that can be iterated over (see `fit`), and stopped and resumed at any step."""

    def __init__(
        self,
        network: Network,
        params: Params,
        x: Named,
        y: Named,
        config: TrainingConfig | Mapping[str, Any],
        validation: Given | None = None,
        on_step: OnStep | None = None,
        decode: Decode | Mapping[str, Decode] | None = None,
        sample_weight: Named | None = None,
        stop: Stop | None = None,
        resume: TrainingState | None = None,
    ) -> None:
        settings = config if isinstance(config, TrainingConfig) else TrainingConfig.parse(config)
        self.network, self.params = network, params
        self._decode, self._on_step, self._stop = decode, on_step, stop
        check_trainable(network.weight_shapes, params)
        self._objective, self._metrics = measures(network, settings, y)
        examples = self._checked(x, y, sample_weight)
        self.config = settings = settings.divided(network.shards, len(examples))
        self._examples = with_class_weights(examples, self._objective.losses, settings)
        self._validation = self._checked(*validation) if validation else None
        weights = network.weights
        self._trained = {name: params[name] for name in weights if weights[name].trainable}
        self._course = Course(
            run_of(network.to_spec(), settings, len(examples), params),
            params,
            settings.optimizer,
            self._trained,
            settings.optimizer.start(self._trained),
            self._scores(),
            self._start_stopper(),
            Average(settings.ema_decay) if settings.ema_decay is not None else None,
        )
        self._check_demands()
        self._told_to_stop = False
        self._needs_measure, self._limits = any(self._metrics), settings.limits_gradients
        if resume is not None:
            self._course.resume(resume, -(-len(examples) // self._batch_size))

    def _checked(self, x: Named, y: Named, sample_weight: Named | None = None) -> Examples:
        return checked_examples(self.network, self._objective, self._metrics, x, y, sample_weight)

    def _check_demands(self) -> None:
        """What the optimizer and the schedule need of a run."""
        check_accumulation(self.config.accumulate_steps, self._objective.losses)
        optimizer, figure = self.config.optimizer, self.config.schedule.watched()
        if figure is not None:
            validated = self._validation is not None
            direction(figure, self._course.counted.signs, validated, "/schedule/metric")
        if optimizer.full_batch and self._batch_size < len(self._examples):
            raise ConfigError(
                "/batch_size",
                f"{optimizer.type_name} needs all examples in each step, {len(self._examples)}; "
                "set batch_size to null",
            )

    def _scores(self) -> Scores:
        return Scores(self.network.wiring.outputs, self._objective, self._metrics, self._decode)

    def _start_stopper(self) -> Stopper | None:
        if self.config.early_stopping is None:
            return None
        signs = self._scores().signs
        return Stopper(self.config.early_stopping, signs, self._validation is not None)

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole run."""
        batches = -(-len(self._examples) // self._batch_size)
        return self.config.epochs * -(-batches // self.config.accumulate_steps)

    @property
    def _batch_size(self) -> int:
        return self.config.batch_size or len(self._examples)

    def __iter__(self) -> Iterator[Epoch]:
        """Train, one item an epoch; at the end the best weights come back if so configured."""
        with Executor(self.network.program, self._objective, self.config.shards or 1) as executor:
            course, layout = self._course, executor.layout
            if not self.config.optimizer.full_batch:
                course.slots = flat(layout, course.slots, self._trained)
            self._updates = Updates(
                self.config.optimizer, layout, self._trained, course.slots, executor.crew
            )
            while self._goes_on() and self._train(executor):
                yield self._end_epoch(executor)
        if self._course.average:
            self._course.average.put_into(self.params)
        if self._course.stopper:
            self._course.stopper.restore(self.params)

    def _goes_on(self) -> bool:
        at = self._course.position
        return at.epoch <= self.config.epochs and not at.finished and not self._told_to_stop

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def _train(self, executor: Executor) -> bool:
        """The rest of the epoch; False if it was told to stop on the way."""
        at, size, steps = self._course.position, self.config.accumulate_steps, self.steps
        batches = self._batches(at.epoch)
        while at.batch < len(batches) and not self._told_to_stop:
            loss = self._step(executor, batches[at.batch : at.batch + size], steps)
            if self._on_step:
                self._on_step(Step(at.epoch, at.step, steps, loss, self.state))
            if self._stop is not None:
                self._told_to_stop = self._stop()
        return at.batch == len(batches)

    def _batches(self, epoch: int) -> list[Rows]:
        size, count = self._batch_size, len(self._examples)
        parts = [slice(start, min(start + size, count)) for start in range(0, count, size)]
        if not self.config.shuffle:
            return list(parts)
        order = generator(self.config.seed, "shuffle", epoch).permutation(count)
        return [order[part] for part in parts]

    def _step(self, executor: Executor, batches: list[Rows], steps: int) -> float:
        at, config = self._course.position, self.config

        def run(rows: Rows) -> Batch:
            return self._batch(executor, rows, steps)

        if len(batches) == 1:
            done: Batch | Accumulated = run(batches[0])
        else:
            each = weighted(executor, self.params, batches, self._prepared, run)
            done = accumulated(each, executor.layout)
        norm = math.sqrt(done.square)
        if not math.isfinite(norm):
            raise self._diverged(executor, batches[-1], done.gradients)
        if self._limits:
            limit(
                done.gradients, norm, config.clip_value, config.clip_weight_norm, config.clip_norm
            )
        factor = config.schedule.factor(at.step, steps) * self._course.memory.get("factor", 1.0)
        at.rate = config.optimizer.learning_rate * factor
        at.step += 1
        at.epoch_steps += 1
        at.norms += norm
        if config.optimizer.full_batch:
            self._search(executor, done, batches[0], steps)
        else:
            self._updates.move(done.vector, at.step, at.rate)
        if self._course.average:
            self._course.average.follow(self._trained)
        return done.loss

    def _search(
        self, executor: Executor, done: Batch | Accumulated, rows: Rows, steps: int
    ) -> None:
        at, optimizer = self._course.position, self.config.optimizer

        def evaluate() -> tuple[float, Params]:
            again = executor.train(
                self.params,
                self._examples,
                rows,
                self.config.seed,
                at.batches - 1,
                (at.step - 1) / steps,
            )
            return again.loss, again.gradients

        start = (done.loss, done.gradients)
        optimizer.search(self._trained, *start, self._course.slots, at.step, at.rate, evaluate)

    def _batch(self, executor: Executor, rows: Rows, steps: int) -> Batch:
        course, at = self._course, self._course.position
        batch = executor.train(
            self.params, self._examples, rows, self.config.seed, at.batches, at.step / steps
        )
        if not math.isfinite(batch.loss):
            raise self._diverged(executor, rows)
        for name, value in batch.renewed.items():
            self.params[name][...] = value
        course.counted.count(batch.means, batch.terms)
        for part in batch.parts if self._needs_measure else ():
            course.counted.measure(part)
        at.batch += 1
        at.batches += 1
        at.penalties += batch.penalty
        return batch

    def _prepared(self, rows: Rows) -> Examples:
        return self._examples.rows(rows).prepared(self.network.program.ports, dtype_of(self.params))

    def _diverged(
        self, executor: Executor, rows: Rows, gradients: Params | None = None
    ) -> DivergedError:
        inputs = self._prepared(rows).inputs
        layer = first_not_finite(executor.program, self.params, inputs)
        if layer is None and gradients is not None:
            layer = layer_not_finite(gradients)
        at = self._course.position
        return DivergedError(at.epoch, at.step + 1, layer, self._objective.doubt)

    def _end_epoch(self, executor: Executor) -> Epoch:
        course, at = self._course, self._course.position
        if broken := layer_not_finite(self.params):
            raise DivergedError(at.epoch, at.step, broken)
        params = course.average.applied(self.params) if course.average else self.params
        loss = course.counted.loss + at.penalties / at.batch
        metrics = course.counted.losses() | course.counted.figures()
        metrics |= self._validate(executor, params)
        norm = at.norms / at.epoch_steps
        epoch, stop = Epoch(at.epoch, at.step, loss, metrics, at.rate, norm), False
        if course.stopper:
            stop = course.stopper.observe(epoch, params)
            epoch = replace(epoch, best_epoch=course.stopper.best_epoch)
        course.memory = self.config.schedule.after_epoch(course.memory, {"loss": loss, **metrics})
        course.position = Position(at.epoch + 1, 0, at.batches, at.step, finished=stop)
        course.counted = self._scores()
        return epoch

    def _validate(self, executor: Executor, params: Params) -> dict[str, float]:
        if self._validation is None:
            return {}
        size = max(self._batch_size, _EVALUATION_BATCH)
        counted = self._scores()
        found = scores(executor, params, self._validation, counted, size) | counted.figures()
        if not math.isfinite(found["loss"]):
            sample = self._validation.rows(slice(0, size)).prepared(
                executor.program.ports, dtype_of(params)
            )
            layer = first_not_finite(executor.program, params, sample.inputs)
            raise DivergedError(self._course.position.epoch, self._course.position.step, layer)
        return {f"val_{name}": value for name, value in found.items()}

    @property
    def restored_epoch(self) -> int | None:
        """The epoch whose weights an ended run has put back; None if it kept its last ones."""
        stopping, stopper = self.config.early_stopping, self._course.stopper
        return stopper.best_epoch if stopping and stopping.restore_best and stopper else None

    def state(self) -> TrainingState:
        """All that a run needs to go on from here; to be called after a step or an epoch."""
        return self._course.state()
