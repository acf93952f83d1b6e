"""Training as a generator: one Epoch after the other, the weights changed in place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import AnyArray, Array, Params, dtype_of
from nncore.documents import Range, parse, to_document
from nncore.early_stopping import EarlyStopping, Stopper
from nncore.errors import ConfigError, DivergedError, DocumentError
from nncore.evaluation import Decode, Scores, check_examples, scores
from nncore.execution import Batch, Executor, first_not_finite
from nncore.gradients import clip, global_norm, layer_not_finite
from nncore.losses import Loss
from nncore.losses.binary_cross_entropy import BinaryCrossEntropy
from nncore.losses.cross_entropy import CrossEntropy
from nncore.losses.mean_squared_error import MeanSquaredError
from nncore.metrics import Metric
from nncore.network import Network
from nncore.optimizers import Optimizer
from nncore.optimizers.adam import Adam
from nncore.optimizers.optimizer import Slots
from nncore.schedules import Schedule
from nncore.schedules.constant import Constant
from nncore.seeds import generator
from nncore.shapes import Positive

_EVALUATION_BATCH = 256


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How to train. Without a loss, the final activation and the targets decide."""

    loss: Loss | None = None
    optimizer: Optimizer = Adam()
    schedule: Schedule = Constant()
    epochs: Annotated[int, Range(min=0, max=1_000_000)] = 10
    batch_size: Positive = 32
    shuffle: bool = True
    seed: Annotated[int, Range(min=0)] = 0
    metrics: tuple[Metric, ...] = ()
    clip_norm: Annotated[float, Range(above=0)] | None = None
    early_stopping: EarlyStopping | None = None
    shards: Annotated[int, Range(min=1, max=256)] = 1

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> TrainingConfig:
        """The configuration of a document. Raises ConfigError, pointing into it."""
        try:
            config = parse(cls, document)
        except DocumentError as error:
            raise ConfigError(error.pointer, error.detail) from None
        names = [metric.type_name for metric in config.metrics]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise ConfigError(f"/metrics/{index}", f'"{name}" is listed twice')
        return config

    def to_document(self) -> dict[str, Any]:
        """The document of this configuration, every default filled in."""
        return to_document(self)


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step: its number of the run's `steps`, both counted from 1, and its loss."""

    epoch: int
    step: int
    steps: int
    loss: float


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training examples.

    `step` counts the optimizer steps so far. `loss` and the metrics are means over the epoch's
    batches as they were trained; `val_loss` and `val_<metric>` are taken at its end. The learning
    rate is the last step's, the gradient norm (before clipping) the mean over the steps.
    """

    number: int
    step: int
    loss: float
    metrics: dict[str, float]
    learning_rate: float
    gradient_norm: float


OnStep = Callable[[Step], None]
Examples = tuple[AnyArray, AnyArray]


def fit(
    network: Network,
    params: Params,
    x: AnyArray,
    y: AnyArray,
    config: TrainingConfig | Mapping[str, Any],
    validation: Examples | None = None,
    on_step: OnStep | None = None,
    decode: Decode | None = None,
) -> Iterator[Epoch]:
    """Train on x (N, ...) and y (as the loss wants it), yielding after each epoch.

    `params` (writable, as from `init`) change in place. `on_step` is called after each step and may
    raise to stop. `decode` turns predictions and targets into the units that metrics are read in.
    Raises ConfigError or ValueError at once, DivergedError when a loss or gradient is not finite.
    """
    settings = config if isinstance(config, TrainingConfig) else TrainingConfig.parse(config)
    run = _Training(network, params, x, y, settings, validation, on_step, decode)
    run.check()
    return run.epochs()


@dataclass(slots=True)
class _Training:
    network: Network
    params: Params
    x: AnyArray
    y: AnyArray
    config: TrainingConfig
    validation: Examples | None
    on_step: OnStep | None
    decode: Decode | None
    step: int = 0
    loss: Loss = field(init=False)
    stopper: Stopper | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.x, self.y = as_arrays((self.x, self.y))
        self.validation = as_arrays(self.validation) if self.validation else None
        self.loss = self.config.loss or suited_loss(self.network, self.y)

    def check(self) -> None:
        """Everything that can be wrong before the first step."""
        self.network.check_weights(self.params)
        for name, weight in self.params.items():
            if not (weight.flags.writeable and weight.flags.c_contiguous):
                raise ValueError(f"weight {name!r} must be a writable, contiguous array")
        for examples in ((self.x, self.y), self.validation):
            if examples:
                check_examples(self.network, self.loss, self.config.metrics, *examples)
        if self.config.early_stopping:
            self.stopper = Stopper(
                self.config.early_stopping, self.config.metrics, bool(self.validation)
            )

    def epochs(self) -> Iterator[Epoch]:
        """Train, one item an epoch; at the end the best weights come back if so configured."""
        trained = self._trainable()
        state = self.config.optimizer.start(trained)
        with Executor(self.network.stages, self.loss, self.config.shards) as executor:
            for number in range(1, self.config.epochs + 1):
                epoch = self._epoch(number, executor, trained, state)
                stop = self.stopper is not None and self.stopper.observe(epoch, self.params)
                yield epoch
                if stop:
                    break
        if self.stopper:
            self.stopper.restore(self.params)

    def _trainable(self) -> Params:
        weights = self.network.weights
        return {name: self.params[name] for name in weights if weights[name].trainable}

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")
    def _epoch(self, number: int, executor: Executor, trained: Params, state: Slots) -> Epoch:
        counted = Scores(self.loss, self.config.metrics, self.decode)
        norms, rate = [], 0.0
        for rows in self._batches(number):
            x = np.ascontiguousarray(self.x[rows], dtype_of(self.params))
            y = self.y[rows]
            batch = executor.train(self.params, x, y, self.config.seed, self.step)
            norms.append(self._guarded_norm(number, executor, x, batch))
            rate = self._update(trained, batch, norms[-1], state)
            counted.add(batch.loss, self.loss.terms(y), batch.parts)
            if self.on_step:
                self.on_step(Step(number, self.step, self._steps(), batch.loss))
        if broken := layer_not_finite(self.params):
            raise DivergedError(number, self.step, broken)
        metrics = counted.metrics() | self._validate(number, executor)
        return Epoch(number, self.step, counted.loss, metrics, rate, float(np.mean(norms)))

    def _batches(self, epoch: int) -> Iterator[slice | NDArray[np.intp]]:
        size, count = self.config.batch_size, len(self.x)
        order = None
        if self.config.shuffle:
            order = generator(self.config.seed, "shuffle", epoch).permutation(count)
        for start in range(0, count, size):
            rows = slice(start, min(start + size, count))
            yield rows if order is None else order[rows]

    def _steps(self) -> int:
        return self.config.epochs * -(-len(self.x) // self.config.batch_size)

    def _update(self, trained: Params, batch: Batch, norm: float, state: Slots) -> float:
        if self.config.clip_norm is not None:
            clip(batch.gradients, norm, self.config.clip_norm)
        factor = self.config.schedule.factor(self.step, self._steps())
        rate = self.config.optimizer.learning_rate * factor
        self.step += 1
        self.config.optimizer.update(trained, batch.gradients, state, self.step, rate)
        for name, value in batch.renewed.items():
            self.params[name][...] = value
        return rate

    def _guarded_norm(self, epoch: int, executor: Executor, x: Array, batch: Batch) -> float:
        norm = global_norm(batch.gradients)
        if math.isfinite(batch.loss) and math.isfinite(norm):
            return norm
        layer = first_not_finite(executor.stages, self.params, x)
        if layer is None and math.isfinite(batch.loss):
            layer = layer_not_finite(batch.gradients)
        raise DivergedError(epoch, self.step + 1, layer)

    def _validate(self, epoch: int, executor: Executor) -> dict[str, float]:
        if not self.validation:
            return {}
        x, y = self.validation
        size = max(self.config.batch_size, _EVALUATION_BATCH)
        found = scores(executor, self.params, x, y, self.config.metrics, size, self.decode)
        if not math.isfinite(found["loss"]):
            sample = np.ascontiguousarray(x[:size], dtype_of(self.params))
            layer = first_not_finite(executor.stages, self.params, sample)
            raise DivergedError(epoch, self.step, layer)
        return {f"val_{name}": value for name, value in found.items()}


def as_arrays(examples: Examples) -> Examples:
    """Inputs and targets; what is an array already, be it on disk, stays as it is."""
    x, y = examples
    return (x if hasattr(x, "shape") else np.asarray(x)), np.asarray(y)


def suited_loss(network: Network, y: AnyArray) -> Loss:
    """The loss that the final activation and the targets (N, ...) suggest."""
    if network.final_activation == "softmax":
        return CrossEntropy()
    if network.final_activation == "sigmoid":
        return BinaryCrossEntropy()
    classes = y.dtype.kind in "iu" and y.ndim == len(network.output_shape)
    return CrossEntropy() if classes and network.output_shape[-1] != 1 else MeanSquaredError()
