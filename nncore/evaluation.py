"""Loss and metrics of a network on given examples, in evaluation mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nncore.arrays import Params, dtype_of
from nncore.documents import parse
from nncore.errors import DocumentError, few, step_into
from nncore.examples import Examples, Named
from nncore.executor import Executor
from nncore.metrics import Metric
from nncore.network import Network
from nncore.objective import LossChoice, Objective, objective
from nncore.penalties import penalties
from nncore.scores import Decode, Scores
from nncore.shard import Part

Metrics = tuple[tuple[Metric, ...], ...]
"""The metrics of each output."""


def evaluate(
    network: Network,
    params: Params,
    x: Named,
    y: Named,
    loss: LossChoice,
    metrics: Sequence[str | Mapping[str, Any] | Metric] | Mapping[str, Sequence[Any]] = (),
    batch_size: int = 256,
    decode: Decode | Mapping[str, Decode] | None = None,
    sample_weight: Named | None = None,
    loss_weights: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """`loss` and each metric by name. x (N, ...) with N >= 1, y as the loss wants it.

    With several outputs also `<output>_loss`, and metrics are `<output>_<metric>`.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    target = objective(loss, network.wiring.outputs, loss_weights)
    chosen = metrics_of(metrics, network.wiring.outputs)
    examples = checked_examples(network, target, chosen, x, y, sample_weight)
    with Executor(network.program, target) as executor:
        counted = Scores(network.wiring.outputs, target, chosen, decode)
        return scores(executor, params, examples, counted, batch_size) | counted.metrics()


def metrics_of(
    metrics: Sequence[Any] | Mapping[str, Sequence[Any]], outputs: Sequence[str]
) -> Metrics:
    """The metrics of each output: the given ones for each, or a mapping with its own."""
    if not isinstance(metrics, Mapping):
        return (tuple(parse(Metric, metric) for metric in metrics),) * len(outputs)
    for name in metrics:
        if name not in outputs:
            raise DocumentError(
                step_into("/metrics", name), f"is no output; the outputs are {few(outputs)}"
            )
    return tuple(
        tuple(parse(Metric, metric) for metric in metrics.get(name, ())) for name in outputs
    )


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def scores(
    executor: Executor, params: Params, examples: Examples, counted: Scores, batch_size: int
) -> dict[str, float]:
    """The losses with an executor at hand and checked examples, which are counted."""
    dtype = dtype_of(params, examples.inputs)
    for start in range(0, len(examples), batch_size):
        rows = slice(start, start + batch_size)
        batch = examples.rows(rows).prepared(executor.program.ports, dtype)
        for part in executor.infer(params, batch):
            counted.measure(part)
            counted.count(*_losses(executor.objective, part))
    penalty = penalties(executor.program, params)
    return {"loss": counted.loss + penalty, **counted.losses()}


def _losses(target: Objective, part: Part) -> tuple[list[float], list[int]]:
    means, counts = [], []
    for index, loss in enumerate(target.losses):
        wanted, mask = part.examples.targets[index], part.masks[index]
        terms = loss.terms(wanted, mask)
        weights = part.examples.weights[index]
        means.append(loss.forward(part.outputs[index], wanted, terms, weights, mask)[0])
        counts.append(terms)
    return means, counts


def checked_examples(
    network: Network,
    target: Objective,
    metrics: Metrics,
    x: Named,
    y: Named,
    sample_weight: Named | None,
) -> Examples:
    """The examples. Raises ValueError if the network, a loss or a metric cannot use them."""
    examples = network.examples(x, y, target, sample_weight)
    if not len(examples):
        raise ValueError("there are no examples")
    for shape, chosen, wanted in zip(
        network.output_shapes.values(), metrics, examples.targets, strict=True
    ):
        known = [size for size in shape if size is not None]
        if len(known) == len(shape):
            for metric in chosen:
                metric.measure(np.empty((0, *known)), wanted[:0])
    return examples
