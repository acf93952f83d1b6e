"""Stopping when a figure no longer improves, and going back to the best epoch's weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import numpy as np

from nncore.arrays import Params
from nncore.documents.limits import Range
from nncore.errors import ConfigError


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
    def number(self) -> int:
        """The epoch's number, from 1."""

    @property
    def loss(self) -> float:
        """The training loss."""

    @property
    def metrics(self) -> dict[str, float]:
        """Everything else by name."""


class Stopper:
    """Follows one figure over the epochs."""

    def __init__(self, config: EarlyStopping, signs: Mapping[str, int], validated: bool) -> None:
        """`signs`: 1 for each figure that should rise, -1 for each that should fall."""
        self._config = config
        self._sign = direction(config.metric, signs, validated, "/early_stopping/metric")
        self._best: float | None = None
        self._waited = 0
        self._weights: Params = {}
        self.best_epoch: int | None = None

    def observe(self, epoch: Report, params: Params) -> bool:
        """Take note of an epoch; True if training should end with it."""
        name = self._config.metric
        figure = self._sign * (epoch.loss if name == "loss" else epoch.metrics[name])
        if self._best is None or figure > self._best + self._config.min_delta:
            self._best = figure
            self._waited = 0
            self.best_epoch = epoch.number
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

    def state(self) -> tuple[dict[str, Any], Params]:
        """What it remembers: JSON, and the best epoch's weights."""
        numbers = {"best": self._best, "waited": self._waited, "best_epoch": self.best_epoch}
        return numbers, self._weights

    def resume(self, numbers: Mapping[str, Any], weights: Params) -> None:
        """Go on from what another remembered."""
        self._best, self._waited = numbers["best"], numbers["waited"]
        self.best_epoch, self._weights = numbers["best_epoch"], weights


def direction(figure: str, signs: Mapping[str, int], validated: bool, pointer: str) -> int:
    """1 if the figure should rise, -1 if it should fall; ConfigError if nobody measures it."""
    signs = {"loss": -1, **signs}
    known = signs | ({f"val_{name}": sign for name, sign in signs.items()} if validated else {})
    if figure in known:
        return known[figure]
    mend = f"known here: {', '.join(known)}"
    if figure.removeprefix("val_") in signs:
        mend = f"it needs validation examples; {mend}"
    raise ConfigError(pointer, f'"{figure}" is not measured; {mend}')
