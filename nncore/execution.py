"""Forward and backward passes over stages, and a batch's gradient from shards on threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np

from nncore.activations import Activation
from nncore.arrays import AnyArray, Array, Params
from nncore.losses import Loss
from nncore.passes import Pass, Run
from nncore.plan import Stage
from nncore.workspace import Workspace

T = TypeVar("T")
Stages = tuple[Stage, ...]


def forward(stages: Stages, params: Params, x: Array, run: Run) -> tuple[Array, list[Any]]:
    """The last stage's output, and every stage's cache."""
    values, caches = [x], []
    for stage in stages:
        (source,) = stage.inputs
        pass_ = Pass(run, stage.layer, stage.index, stage.needs_dx)
        value, cache = stage.operation.forward(stage.own(params), values[source], pass_)
        values.append(value)
        caches.append(cache)
    return values[-1], caches


def backward(stages: Stages, params: Params, caches: list[Any], dy: Array, run: Run) -> Params:
    """Gradients of all weights, by full name, from the gradient of the last stage's output."""
    gradients: Params = {}
    slope: Array | None = dy
    for stage in reversed(stages):
        if slope is None or not (stage.needs_dx or stage.weights):
            break
        pass_ = Pass(run, stage.layer, stage.index, stage.needs_dx)
        cache = caches[stage.index]
        slope, own = stage.operation.backward(stage.own(params), cache, slope, pass_)
        for name, gradient in own.items():
            gradients[stage.key(name)] = gradient
    return gradients


def before_loss(stages: Stages, loss: Loss) -> Stages:
    """The stages without a final activation that the loss applies by itself."""
    last = stages[-1].operation
    absorbed = isinstance(last, Activation) and last.type_name == loss.absorbs
    return stages[:-1] if absorbed else stages


def first_not_finite(stages: Stages, params: Params, x: Array) -> str | None:
    """The first layer whose weights or outputs are not finite on x (`input`: x itself), or None."""
    if not np.isfinite(x).all():
        return "input"
    run = Run(Workspace())
    with np.errstate(all="ignore"):
        for stage in stages:
            own = stage.own(params)
            x, _ = stage.operation.forward(own, x, Pass(run, stage.layer, stage.index))
            if not all(np.isfinite(array).all() for array in (*own.values(), x)):
                return stage.layer
    return None


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch gave: the loss, its gradients, and the shards' (outputs, targets) in order.

    The arrays live in the executor's buffers until its next batch. `renewed` are the weights that
    the pass itself changes.
    """

    loss: float
    gradients: Params
    parts: list[tuple[Array, AnyArray]]
    renewed: Params


class Executor:
    """Runs batches of one network and loss in `shards` parts, each on its own thread.

    The parts are contiguous and their results are added in order, so that the outcome depends on
    the number of shards alone, never on timing.
    """

    def __init__(self, stages: Stages, loss: Loss, shards: int = 1) -> None:
        self.stages = before_loss(stages, loss)
        self.loss = loss
        self._workspaces = [Workspace() for _ in range(shards)]
        self._pool = ThreadPoolExecutor(shards, "shard") if shards > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool:
            self._pool.shutdown()

    def train(self, params: Params, x: Array, y: AnyArray, seed: int, step: int) -> Batch:
        """A batch in training mode. x (N, ...), y as the loss wants it."""
        terms = self.loss.terms(y)

        def shard(rows: slice, workspace: Workspace) -> Batch:
            run = Run(workspace, True, seed, step, rows.start)
            outputs, caches = forward(self.stages, params, x[rows], run)
            value, slope = self.loss.forward(outputs, y[rows], terms)
            gradients = backward(self.stages, params, caches, slope, run)
            return Batch(value, gradients, [(outputs, y[rows])], run.renewed)

        return _together(self._in_shards(shard, len(x)))

    def infer(self, params: Params, x: Array) -> list[Array]:
        """The outputs of a batch in evaluation mode, part by part; they live as a batch's do."""
        return self._in_shards(
            lambda rows, workspace: forward(self.stages, params, x[rows], Run(workspace))[0],
            len(x),
        )

    def _in_shards(self, work: Callable[[slice, Workspace], T], rows: int) -> list[T]:
        def quietly(part: slice, workspace: Workspace) -> T:
            # Overflow is looked for in the results; a warning for each would only repeat it.
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                return work(part, workspace)

        parts = list(_split(rows, len(self._workspaces)))
        if self._pool is None or len(parts) == 1:
            return [quietly(parts[0], self._workspaces[0])]
        return list(self._pool.map(quietly, parts, self._workspaces))


def _split(rows: int, shards: int) -> Iterator[slice]:
    used = max(1, min(rows, shards))
    for shard in range(used):
        yield slice(shard * rows // used, (shard + 1) * rows // used)


def _together(shards: list[Batch]) -> Batch:
    if len(shards) == 1:
        return shards[0]
    gradients, renewed = shards[0].gradients, shards[0].renewed
    for other in shards[1:]:
        for name, gradient in other.gradients.items():
            gradients[name] += gradient
    rows = [len(part[0]) for shard in shards for part in shard.parts]
    for name in renewed:
        values = [shard.renewed[name] for shard in shards]
        renewed[name] = np.average(values, axis=0, weights=rows).astype(values[0].dtype)
    return Batch(
        sum(shard.loss for shard in shards),
        gradients,
        [part for shard in shards for part in shard.parts],
        renewed,
    )
