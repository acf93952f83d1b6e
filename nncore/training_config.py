"""How to train, as a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from nncore.documents import Range, parse, to_document
from nncore.early_stopping import EarlyStopping
from nncore.errors import ConfigError, DocumentError
from nncore.losses import Loss
from nncore.metrics import Metric
from nncore.optimizers import Optimizer
from nncore.optimizers.adam import Adam
from nncore.schedules import Schedule
from nncore.schedules.constant import Constant
from nncore.shapes import Positive

Factor = Annotated[float, Range(min=0)]


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How to train. Without a loss, the final activation and the targets decide.

    Of several outputs each may have its own loss and metrics, by name, and a weight of its loss.
    `batch_size` null is all examples at once; `accumulate_steps` batches make one optimizer step.
    `class_weight` by class, or `class_balance`, are factors of the examples' terms; `ema_decay`
    makes the running mean of the weights the result. `clip_norm` limits the norm of all gradients
    together, `clip_weight_norm` of each weight's, `clip_value` each element's size. `shards` are
    the parts of a batch, a thread each; null leaves them to the size of network and batch.
    """

    loss: Loss | dict[str, Loss] | None = None
    optimizer: Optimizer = Adam()
    schedule: Schedule = Constant()
    epochs: Annotated[int, Range(min=0, max=1_000_000)] = 10
    batch_size: Positive | None = 32
    shuffle: bool = True
    seed: Annotated[int, Range(min=0)] = 0
    metrics: tuple[Metric, ...] | dict[str, tuple[Metric, ...]] = ()
    clip_norm: Annotated[float, Range(above=0)] | None = None
    early_stopping: EarlyStopping | None = None
    shards: Annotated[int, Range(min=1, max=256)] | None = None
    loss_weights: dict[str, Factor] | None = None
    class_weight: dict[str, Factor] | None = None
    class_balance: Literal["balanced"] | None = None
    accumulate_steps: Annotated[int, Range(min=1, max=1_000_000)] = 1
    clip_weight_norm: Annotated[float, Range(above=0)] | None = None
    clip_value: Annotated[float, Range(above=0)] | None = None
    ema_decay: Annotated[float, Range(min=0, below=1)] | None = None

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> TrainingConfig:
        """The configuration of a document. Raises ConfigError, pointing into it."""
        try:
            config = parse(cls, document)
        except DocumentError as error:
            raise ConfigError(error.pointer, error.detail) from None
        if isinstance(config.metrics, dict):
            for output, metrics in config.metrics.items():
                _refuse_twice(metrics, f"/metrics/{output}")
        else:
            _refuse_twice(config.metrics, "/metrics")
        if config.class_weight is not None and config.class_balance is not None:
            raise ConfigError("/class_balance", "give class_weight or class_balance, not both")
        return config

    def divided(self, shards_for: Callable[[int], int], examples: int) -> TrainingConfig:
        """The same with its number of shards, which `shards_for` tells for batches of a size."""
        if self.shards is not None:
            return self
        return replace(self, shards=shards_for(min(self.batch_size or examples, examples)))

    @property
    def takes_factors(self) -> bool:
        """Whether steps can do with factors of a gradient that is nowhere expanded as a whole."""
        each = self.clip_weight_norm is not None or self.clip_value is not None
        return not (each or self.optimizer.full_batch or self.accumulate_steps > 1)

    @property
    def limits_gradients(self) -> bool:
        """Whether gradients are cut or scaled down in any way."""
        limits = (self.clip_norm, self.clip_weight_norm, self.clip_value)
        return any(limit is not None for limit in limits)

    def to_document(self) -> dict[str, Any]:
        """The document of this configuration, every default filled in."""
        return to_document(self)


def _refuse_twice(metrics: tuple[Metric, ...], pointer: str) -> None:
    names = [metric.type_name for metric in metrics]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ConfigError(f"{pointer}/{index}", f'"{name}" is listed twice')
