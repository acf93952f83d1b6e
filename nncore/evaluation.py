"""Loss and metrics of a network on given examples, in evaluation mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nncore.arrays import AnyArray, Array, Params, dtype_of
from nncore.documents import parse
from nncore.execution import Executor
from nncore.losses import Loss
from nncore.metrics import Metric
from nncore.metrics.metric import Tally
from nncore.network import Network, check_lengths
from nncore.shapes import Shape

Decode = Callable[[AnyArray], AnyArray]
"""From what the network is trained on to what people read; applied to predictions and targets."""


class Scores:
    """The loss and the metrics of the batches seen so far."""

    def __init__(self, loss: Loss, metrics: Sequence[Metric], decode: Decode | None) -> None:
        self._loss = loss
        self._metrics = metrics
        self._decode = decode or (lambda values: values)
        self._total = 0.0
        self._terms = 0
        self._tallies: dict[str, Tally] = {}

    def add(self, mean_loss: float, terms: int, parts: Sequence[tuple[Array, AnyArray]]) -> None:
        """Count a batch: its mean loss over so many terms, and its (outputs, targets)."""
        self._total += mean_loss * terms
        self._terms += terms
        for outputs, targets in parts if self._metrics else ():
            predictions = self._decode(self._loss.predictions(outputs))
            self._measure(predictions, self._decode(targets))

    def _measure(self, predictions: Array, targets: AnyArray) -> None:
        for metric in self._metrics:
            tally = metric.measure(predictions, targets)
            before = self._tallies.get(metric.type_name)
            self._tallies[metric.type_name] = (
                tally if before is None else metric.combine(before, tally)
            )

    @property
    def loss(self) -> float:
        """The mean loss over all terms."""
        return self._total / max(self._terms, 1)

    def metrics(self) -> dict[str, float]:
        """The metrics by name."""
        return {
            metric.type_name: metric.value(self._tallies[metric.type_name])
            for metric in self._metrics
        }


def evaluate(
    network: Network,
    params: Params,
    x: AnyArray,
    y: AnyArray,
    loss: str | Mapping[str, Any] | Loss,
    metrics: Sequence[str | Mapping[str, Any] | Metric] = (),
    batch_size: int = 256,
    decode: Decode | None = None,
) -> dict[str, float]:
    """`loss` and each metric by name. x (N, ...) with N >= 1, y as the loss wants it."""
    measure, chosen = parse(Loss, loss), [parse(Metric, metric) for metric in metrics]
    check_examples(network, measure, chosen, x, y)
    with Executor(network.stages, measure) as executor:
        return scores(executor, params, x, y, chosen, batch_size, decode)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def scores(
    executor: Executor,
    params: Params,
    x: AnyArray,
    y: AnyArray,
    metrics: Sequence[Metric],
    batch_size: int,
    decode: Decode | None,
) -> dict[str, float]:
    """`evaluate` with an executor at hand and checked examples."""
    loss, dtype = executor.loss, dtype_of(params)
    counted = Scores(loss, metrics, decode)
    for start in range(0, len(x), batch_size):
        targets = np.asarray(y[start : start + batch_size])
        batch = np.ascontiguousarray(x[start : start + batch_size], dtype)
        terms, row = loss.terms(targets), 0
        value, parts = 0.0, []
        for outputs in executor.infer(params, batch):
            wanted = targets[row : row + len(outputs)]
            value += loss.forward(outputs, wanted, terms)[0]
            parts.append((outputs, wanted))
            row += len(outputs)
        counted.add(value, terms, parts)
    return {"loss": counted.loss, **counted.metrics()}


def check_examples(
    network: Network, loss: Loss, metrics: Sequence[Metric], x: AnyArray, y: AnyArray
) -> None:
    """Raise ValueError for examples that the network, the loss or a metric cannot use."""
    check_lengths(x, y)
    if not len(x):
        raise ValueError("there are no examples")
    network.check_inputs(x)
    loss.check(network.output_shape, y)
    _try_metrics(network.output_shape, metrics, y)


def _try_metrics(output_shape: Shape, metrics: Sequence[Metric], y: AnyArray) -> None:
    known = [size for size in output_shape if size is not None]
    if len(known) < len(output_shape):
        return
    nothing = np.empty((0, *known))
    for metric in metrics:
        metric.measure(nothing, y[:0])
