"""A batch's loss and gradients, from shards on threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import numpy as np

from nncore.arrays import Array, Params
from nncore.crew import Crew
from nncore.examples import Examples, Rows, count_of
from nncore.gradients import square
from nncore.objective import Objective, before_losses
from nncore.optimizers.chunks import ELEMENTS, pieces, stretches
from nncore.penalties import add_penalties
from nncore.program import Program
from nncore.reordering import pool_first
from nncore.shard import Part, Shard, Share, Task
from nncore.shards import Meeting
from nncore.vectors import Layout

T = TypeVar("T")


@dataclass(slots=True)
class Batch:
    """What a batch gave: the loss, its gradients, and the shards' parts in order.

    `means` are each output's loss before `outer`, over so many `terms`; `penalty` is the part of
    the loss that the weights' regularizers add. `gradients` are views of `vector`, whose elements'
    squares add up to `square`. `slopes` are the gradients of the inputs by number, where they are
    wanted. `renewed` are the weights that the pass itself changes. The arrays live in the
    executor's buffers until its next batch.
    """

    loss: float
    penalty: float
    means: list[float]
    terms: list[int]
    gradients: Params
    vector: Array
    square: float
    slopes: dict[int, Array]
    parts: list[Part]
    renewed: Params


class Executor:
    """Runs batches of one program and objective in `shards` parts, each on its own thread.

    The parts are contiguous and their results are added in order, so that the outcome depends on
    the number of shards alone, never on timing.
    """

    def __init__(self, program: Program, objective: Objective, shards: int = 1) -> None:
        self.program = pool_first(before_losses(program, objective.losses)).in_place()
        self.objective = objective
        learned = self.program.learned
        self.layout = Layout({name: weight.shape for name, weight in learned.items()})
        self.crew = Crew(shards)
        self._meetings: dict[int, Meeting] = {}
        self._shards = [
            Shard(self.program, objective, self.layout, place) for place in range(shards)
        ]
        self._penalized = any(weight.regularizer is not None for weight in learned.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.crew.close()

    def aim(self, objective: Objective) -> None:
        """Go on with other weights of the same losses."""
        self.objective = objective
        for shard in self._shards:
            shard.aim(objective)

    def train(
        self,
        params: Params,
        examples: Examples,
        rows: Rows,
        seed: int,
        step: int,
        progress: float = 1.0,
    ) -> Batch:
        """A batch of these rows in training mode; `progress` is that of the run."""
        task, count = Task(params, examples, rows, seed, step, progress), count_of(rows)
        shares = self._in_shards(
            lambda place, part, meeting: self._shards[place].train(task, part, count, meeting),
            count,
        )
        whole = shares[0]
        means = whole.means
        if len(shares) > 1:
            means = [sum(each) for each in zip(*(share.means for share in shares), strict=True)]
        squares = self._add_vectors([share.vector for share in shares])
        penalty = 0.0
        if self._penalized:
            penalty = add_penalties(self.program, params, whole.gradients)
            squares = square(whole.vector)
        return Batch(
            self.objective.value(means) + penalty,
            penalty,
            means,
            whole.terms,
            whole.gradients,
            whole.vector,
            squares,
            _joined(shares) if whole.slopes else {},
            [share.part for share in shares],
            _averaged(shares) if whole.renewed else {},
        )

    def infer(self, params: Params, examples: Examples) -> list[Part]:
        """The outputs of prepared examples in evaluation mode; they live as a batch's do."""
        return self._in_shards(
            lambda place, part, _: self._shards[place].infer(params, examples, part), len(examples)
        )

    def _in_shards(self, work: Callable[[int, slice, Meeting | None], T], count: int) -> list[T]:
        used = max(1, min(count, len(self._shards)))
        if used == 1:
            return [work(0, slice(0, count), None)]
        meeting = self._meetings.pop(used, None) or Meeting(used)

        def part(place: int) -> T:
            rows = slice(place * count // used, (place + 1) * count // used)
            try:
                return work(place, rows, meeting)
            except BaseException:
                meeting.leave()
                raise

        found = self.crew.run(part, used)
        self._meetings[used] = meeting  # not after errors, which end a meeting for good
        return found

    def _add_vectors(self, vectors: list[Array]) -> float:
        """Add the others to the first, piece by piece; the sum of the squares."""
        first, *others = vectors
        if len(first) <= ELEMENTS and not others:
            return square(first)
        parts = stretches(len(first), len(self.crew))

        def add(place: int) -> float:
            total = 0.0
            for piece in pieces(parts[place]):
                for other in others:
                    np.add(first[piece], other[piece], first[piece])
                total += square(first[piece])
            return total

        return sum(self.crew.run(add, len(parts)))


def train_once(
    program: Program,
    params: Params,
    examples: Examples,
    target: Objective,
    shards: int = 1,
    seed: int = 0,
    step: int = 0,
) -> Batch:
    """All of the examples as one batch, by an executor that nobody else uses."""
    if shards < 1:
        raise ValueError(f"shards must be at least 1, got {shards}")
    rows = slice(0, len(examples))
    with (
        np.errstate(over="ignore", invalid="ignore", divide="ignore"),
        Executor(program, target, shards) as executor,
    ):
        return executor.train(params, examples, rows, seed, step)


def _averaged(shares: list[Share]) -> Params:
    """The weights that passes renew: the mean over the shards' examples."""
    if len(shares) == 1:
        return shares[0].renewed
    rows = [len(share.part.examples) for share in shares]
    found: Params = {}
    for name, value in shares[0].renewed.items():
        values = [share.renewed[name] for share in shares]
        found[name] = np.average(values, axis=0, weights=rows).astype(value.dtype)
    return found


def _joined(shares: list[Share]) -> dict[int, Array]:
    if len(shares) == 1:
        return shares[0].slopes
    return {
        value: np.concatenate([share.slopes[value] for share in shares])
        for value in shares[0].slopes
    }
