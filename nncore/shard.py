"""One part of each batch on its own thread: its buffers, and the plans that it repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nncore.arrays import Array, Params, dtype_of
from nncore.examples import Examples, Filling, Rows, count_of, fill, filling, part_of
from nncore.execution import Flow, backward, forward
from nncore.objective import Objective
from nncore.passes import Call, Mask, Run
from nncore.program import Program
from nncore.shards import Meeting
from nncore.vectors import Layout
from nncore.workspace import Workspace


@dataclass(slots=True)
class Task:
    """A batch to train on: rows of examples, and what decides about randomness.

    `params` and `examples` are as they were in the task before, or other objects.
    """

    params: Params
    examples: Examples
    rows: Rows
    seed: int
    step: int
    progress: float


@dataclass(frozen=True, slots=True)
class Part:
    """What a shard gave: an array and a mask for each output, beside the examples it was given."""

    examples: Examples
    outputs: tuple[Array, ...]
    masks: tuple[Mask | None, ...]


@dataclass(slots=True)
class Share:
    """What a shard found in training, its part of the means taken over the batch's terms.

    `vector` holds the gradients of all weights, `slopes` those of the inputs that are wanted.
    """

    means: list[float]
    terms: list[int]
    vector: Array
    gradients: Params
    slopes: dict[int, Array]
    part: Part
    renewed: Params


@dataclass(slots=True)
class Plan:
    """The calls that a step consists of, over arrays that stay where they are."""

    filling: Filling
    flow: Flow
    forward: list[Call]
    slopes: dict[int, Array]
    backward: list[Call]
    share: Share


class Shard:
    """Runs its part of each batch.

    Where all stages are repeatable, the first batch of a size is taken down as a plan, a flat
    list of NumPy calls, which the later ones repeat: tiny networks spend most of a step in Python.
    """

    def __init__(self, program: Program, objective: Objective, layout: Layout, place: int) -> None:
        self._program, self._objective, self._layout = program, objective, layout
        self._run = Run(Workspace(), shard=place)
        self._vector: Array | None = None
        self._plans: dict[int, Plan] = {}
        self._known: tuple[object, object, int] = (None, None, 0)
        self._repeats = program.is_chain and all(
            stage.operation.repeatable for stage in program.stages
        )

    def aim(self, objective: Objective) -> None:
        """Go on with other weights of the same losses; plans do not depend on them."""
        self._objective = objective

    def train(self, task: Task, rows: slice, count: int, meeting: Meeting | None) -> Share:
        """The rows of a task's batch of `count` rows."""
        run, here = self._run, part_of(task.rows, rows)
        run.training, run.forgetful = True, False
        run.seed, run.step, run.progress = task.seed, task.step, task.progress
        run.first_row, run.meeting = rows.start, meeting
        known = self._known
        if known[0] is not task.params or known[1] is not task.examples:
            self._plans.clear()
            self._begin(task.params, task.examples)
        if known[2] != run.workspace.moves:
            self._plans.clear()
        self._known = (task.params, task.examples, run.workspace.moves)
        size = rows.stop - rows.start
        plan = self._plans.get(size)
        if plan is None:
            return self._record(task, here, count)
        fill(plan.filling, here)
        for call in plan.forward:
            call()
        share = plan.share
        share.means, share.terms, slopes = self._losses(share.part, plan.flow, count)
        for value, slope in slopes.items():
            plan.slopes[value][...] = slope
        for call in plan.backward:
            call()
        return share

    def infer(self, params: Params, examples: Examples, rows: slice) -> Part:
        """The outputs for some rows of prepared examples, in evaluation mode."""
        run, part = self._run, examples.rows(rows)
        run.training, run.forgetful, run.first_row = False, True, rows.start
        run.progress, run.renewed = 1.0, {}
        return self._part(part, forward(self._program, params, part.inputs, run))

    def _begin(self, params: Params, examples: Examples) -> None:
        dtype = dtype_of(params, examples.inputs)
        if self._vector is None or self._vector.dtype != dtype:
            self._vector = np.zeros(self._layout.size, dtype)
            self._run.gradients = self._layout.views(self._vector)
            once = self._program.used_once
            self._run.places = {
                name: view for name, view in self._run.gradients.items() if name in once
            }

    def _record(self, task: Task, rows: Rows, count: int) -> Share:
        run, program, params = self._run, self._program, task.params
        assert self._vector is not None
        examples = task.examples.gathered(
            rows, program.ports, self._vector.dtype, run.workspace, self._repeats
        )
        run.renewed, run.tape = {}, [] if self._repeats else None
        flow = forward(program, params, examples.inputs, run)
        part, first = self._part(examples, flow), run.tape
        means, terms, slopes = self._losses(part, flow, count)
        kept, run.tape = dict(slopes), [] if self._repeats else None
        gradients = backward(program, params, flow, slopes, run)
        second, run.tape = run.tape, None
        share = Share(means, terms, self._vector, gradients, slopes, part, run.renewed)
        masked = any(mask is not None for mask in flow.masks.values())
        if first is not None and second is not None and not masked:
            if self._known[2] != run.workspace.moves:  # older plans use buffers that have moved
                self._plans.clear()
                self._known = (*self._known[:2], run.workspace.moves)
            self._plans[count_of(rows)] = Plan(
                filling(examples, task.examples), flow, first, kept, second, share
            )
        return share

    def _part(self, examples: Examples, flow: Flow) -> Part:
        outputs = self._program.outputs
        return Part(
            examples,
            tuple(flow.values[output] for output in outputs),
            tuple(flow.masks.get(output) for output in outputs),
        )

    def _losses(
        self, part: Part, flow: Flow, count: int
    ) -> tuple[list[float], list[int], dict[int, Array]]:
        """The shard's share of each loss, the whole batch's terms, and the slopes by value."""
        means, counts, run = [], [], self._run
        slopes: dict[int, Array] = {}
        for index, loss in enumerate(self._objective.losses):
            targets, mask = part.examples.targets[index], part.masks[index]
            terms = loss.terms(targets, mask)
            if run.meeting is not None:
                # Where all positions count, the batch has as many terms a row as this part of it.
                even = len(targets) > 0 and loss.counted(targets, mask) is None
                terms = terms * count // len(targets) if even else int(run.total(terms))
            weights = part.examples.weights[index]
            mean, slope = loss.forward(part.outputs[index], targets, terms, weights, mask)
            factor = self._objective.weights[index]
            if loss.has_outer:
                factor *= loss.outer(run.total(mean))[1]
            if factor != 1:
                slope *= factor
            output = self._program.outputs[index]
            slopes[output] = slopes[output] + slope if output in slopes else slope
            means.append(mean)
            counts.append(terms)
        return means, counts, slopes
