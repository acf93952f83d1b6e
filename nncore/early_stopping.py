"""Stopping when a figure no longer improves, and going back to the best epoch's weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

import numpy as np

from nncore.arrays import Params
from nncore.documents.limits import Range
from nncore.errors import ConfigError
from nncore.metrics import Metric


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """Stop after `patience` epochs without an improvement of more than `min_delta`."""

    metric: str = "val_loss"
    patience: Annotated[int, Range(min=0)] = 5
    min_delta: Annotated[float, Range(min=0)] = 0.0
    restore_best: bool = True


class Report(Protocol):
    """What is looked at after an epoch."""

    @property
    def loss(self) -> float:
        """The training loss."""

    @property
    def metrics(self) -> dict[str, float]:
        """Everything else by name."""


class Stopper:
    """Follows one figure over the epochs."""

    def __init__(self, config: EarlyStopping, metrics: Sequence[Metric], validated: bool) -> None:
        self._config = config
        self._sign = _direction(config.metric, metrics, validated)
        self._best = -np.inf
        self._waited = 0
        self._weights: Params = {}

    def observe(self, epoch: Report, params: Params) -> bool:
        """Take note of an epoch; True if training should end with it."""
        figure = epoch.loss if self._config.metric == "loss" else epoch.metrics[self._config.metric]
        if self._sign * figure > self._best + self._config.min_delta:
            self._best = self._sign * figure
            self._waited = 0
            if self._config.restore_best:
                self._keep(params)
        else:
            self._waited += 1
        return self._waited > 0 and self._waited >= self._config.patience

    def _keep(self, params: Params) -> None:
        for name, weight in params.items():
            if name in self._weights:
                np.copyto(self._weights[name], weight)
            else:
                self._weights[name] = weight.copy()

    def restore(self, params: Params) -> None:
        """Put the best epoch's weights back, if they were to be kept."""
        for name, weight in self._weights.items():
            np.copyto(params[name], weight)


def _direction(figure: str, metrics: Sequence[Metric], validated: bool) -> int:
    signs = {"loss": -1}
    signs |= {metric.type_name: 1 if metric.greater_is_better else -1 for metric in metrics}
    known = signs | ({f"val_{name}": sign for name, sign in signs.items()} if validated else {})
    if figure in known:
        return known[figure]
    mend = f"known here: {', '.join(known)}"
    if figure.removeprefix("val_") in signs:
        mend = f"it needs validation examples; {mend}"
    raise ConfigError("/early_stopping/metric", f'"{figure}" is not measured; {mend}')
