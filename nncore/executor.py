"""A batch's loss and gradients, from shards on threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self, TypeVar

import numpy as np

from nncore.arrays import Array, Params
from nncore.examples import Examples
from nncore.execution import Flow, backward, forward
from nncore.objective import Objective, before_losses
from nncore.passes import Mask, Run
from nncore.penalties import add_penalties
from nncore.program import Program
from nncore.shards import Meeting
from nncore.workspace import Workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """What a shard gave: an array and a mask for each output, beside the examples it was given."""

    examples: Examples
    outputs: tuple[Array, ...]
    masks: tuple[Mask | None, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch gave: the loss, its gradients, and the shards' parts in order.

    `means` are each output's loss before `outer`, over so many `terms`; `penalty` is the part of
    the loss that the weights' regularizers add. `slopes` are the gradients
    of the inputs by number, where they are wanted. `renewed` are the weights that the pass itself
    changes. The arrays live in the executor's buffers until its next batch.
    """

    loss: float
    penalty: float
    means: tuple[float, ...]
    terms: tuple[int, ...]
    gradients: Params
    slopes: dict[int, Array]
    parts: list[Part]
    renewed: Params


class Executor:
    """Runs batches of one program and objective in `shards` parts, each on its own thread.

    The parts are contiguous and their results are added in order, so that the outcome depends on
    the number of shards alone, never on timing.
    """

    def __init__(self, program: Program, objective: Objective, shards: int = 1) -> None:
        self.program = before_losses(program, objective.losses)
        self.objective = objective
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

    def train(
        self, params: Params, examples: Examples, seed: int, step: int, progress: float = 1.0
    ) -> Batch:
        """A batch in training mode, of prepared examples; `progress` is that of the run."""

        def shard(part: Examples, run: Run) -> Batch:
            run.training, run.seed, run.step, run.progress = True, seed, step, progress
            flow = forward(self.program, params, part.inputs, run)
            slopes: dict[int, Array] = {}
            means, terms = self._losses(part, flow, slopes, run)
            gradients = backward(self.program, params, flow, slopes, run)
            done = [self._part(part, flow)]
            return Batch(0.0, 0.0, means, terms, gradients, slopes, done, run.renewed)

        whole = _together(self._in_shards(shard, examples))
        penalty = add_penalties(self.program, params, whole.gradients)
        loss = self.objective.value(whole.means) + penalty
        return replace(whole, loss=loss, penalty=penalty)

    def infer(self, params: Params, examples: Examples) -> list[Part]:
        """The outputs of a batch in evaluation mode, part by part; they live as a batch's do."""
        return self._in_shards(
            lambda part, run: self._part(part, forward(self.program, params, part.inputs, run)),
            examples,
        )

    def _part(self, examples: Examples, flow: Flow) -> Part:
        outputs = self.program.outputs
        return Part(
            examples,
            tuple(flow.values[output] for output in outputs),
            tuple(flow.masks.get(output) for output in outputs),
        )

    def _losses(
        self, part: Examples, flow: Flow, slopes: dict[int, Array], run: Run
    ) -> tuple[tuple[float, ...], tuple[int, ...]]:
        """The shard's share of each loss, and the whole batch's terms; fills in the slopes."""
        means, counts = [], []
        for index, (output, loss) in enumerate(
            zip(self.program.outputs, self.objective.losses, strict=True)
        ):
            targets, mask = part.targets[index], flow.masks.get(output)
            terms = int(run.total(loss.terms(targets, mask)))
            mean, slope = loss.forward(
                flow.values[output], targets, terms, part.weights[index], mask
            )
            factor = self.objective.weights[index]
            if loss.has_outer:
                factor *= loss.outer(run.total(mean))[1]
            if factor != 1:
                slope *= factor
            slopes[output] = slopes[output] + slope if output in slopes else slope
            means.append(mean)
            counts.append(terms)
        return tuple(means), tuple(counts)

    def _in_shards(self, work: Callable[[Examples, Run], T], examples: Examples) -> list[T]:
        parts = list(_split(len(examples), len(self._workspaces)))
        meeting = Meeting(len(parts)) if len(parts) > 1 else None

        def quietly(place: int) -> T:
            rows = parts[place]
            run = Run(self._workspaces[place], first_row=rows.start, shard=place, meeting=meeting)
            try:
                # Overflow is looked for in the results; a warning for each would only repeat it.
                with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                    return work(examples.rows(rows), run)
            except BaseException:
                if meeting:
                    meeting.leave()
                raise

        if self._pool is None or meeting is None:
            return [quietly(0)]
        return _results([self._pool.submit(quietly, place) for place in range(len(parts))])


def _results(shards: list[Future[T]]) -> list[T]:
    """What the shards gave. Raises the first one's own error, not that it made others give up."""
    errors = [error for shard in shards if (error := shard.exception())]
    own = [error for error in errors if not isinstance(error, threading.BrokenBarrierError)]
    for error in own or errors:
        raise error
    return [shard.result() for shard in shards]


def _split(rows: int, shards: int) -> Iterator[slice]:
    used = max(1, min(rows, shards))
    for shard in range(used):
        yield slice(shard * rows // used, (shard + 1) * rows // used)


def _together(shards: list[Batch]) -> Batch:
    if len(shards) == 1:
        return shards[0]
    first = shards[0]
    for other in shards[1:]:
        for name, gradient in other.gradients.items():
            first.gradients[name] += gradient
    parts = [part for shard in shards for part in shard.parts]
    rows = [len(part.examples) for part in parts]
    for name in first.renewed:
        values = [shard.renewed[name] for shard in shards]
        first.renewed[name] = np.average(values, axis=0, weights=rows).astype(values[0].dtype)
    means = tuple(sum(means) for means in zip(*(shard.means for shard in shards), strict=True))
    slopes = {
        value: np.concatenate([shard.slopes[value] for shard in shards]) for value in first.slopes
    }
    return replace(first, means=means, slopes=slopes, parts=parts)
