"""A network with weights that stay as they are, prepared to be called again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nncore.arrays import AnyArray, Array, Params, dtype_of
from nncore.crew import Crew
from nncore.examples import Examples
from nncore.execution import forward
from nncore.folding import folded
from nncore.passes import Call, Run
from nncore.workspace import Spare, Workspace

if TYPE_CHECKING:
    from nncore.network import Network

# Fresh pages from the system may take longer than all the arithmetic on them.
_SPARE = Spare(1 << 27)


@dataclass(slots=True)
class Plan:
    """The calls that lead from an input's buffer to the output's, for some rows of a batch."""

    rows: slice
    x: AnyArray
    calls: list[Call]
    y: Array


class Predictor:
    """Calls a network in evaluation mode. One thread at a time.

    Takes batches of `batch_size` examples, each in `shards` parts on as many threads. Where all
    stages are repeatable, inputs of a known shape go through a flat list of NumPy calls. The
    weights must stay as they are: after more training, ask for another predictor. With a borrowed
    workspace, for one shard and one call, nothing is prepared for others.
    """

    def __init__(
        self,
        network: Network,
        params: Params,
        batch_size: int,
        shards: int,
        borrowed: Workspace | None = None,
    ) -> None:
        for name, number in (("batch_size", batch_size), ("shards", shards)):
            if number < 1:
                raise ValueError(f"{name} must be at least 1, got {number}")
        self._network, self._batch_size = network, batch_size
        self._program, self._params = folded(network.inference, params)
        self._dtype = dtype_of(params)
        lasting = borrowed is None
        self._runs = [
            Run(borrowed or Workspace(), fixed=lasting, shard=place, forgetful=True)
            for place in range(shards)
        ]
        self._crew = Crew(shards)
        self._plans: dict[tuple[tuple[int, ...], str], list[Plan]] = {}
        self._moves = 0
        # Without weights the precision is that of x, which may change from call to call.
        self._repeats = (
            lasting
            and bool(params)
            and self._program.is_chain
            and all(stage.operation.repeatable for stage in self._program.stages)
        )

    @np.errstate(over="ignore", invalid="ignore")  # as a decorator it takes half the time
    def __call__(self, x: Any) -> Any:
        """What the last layer says about each example, as `Network.predict`, in fresh arrays."""
        plans = self._plans.get((x.shape, x.dtype.char)) if type(x) is np.ndarray else None
        if plans is None:
            return self._predict(x)
        if len(plans) > 1:
            return self._in_parts(plans, x)
        plan = plans[0]
        plan.x[...] = x
        for call in plan.calls:
            call()
        return plan.y.copy()

    def close(self) -> None:
        """End the threads; the next call starts others."""
        self._crew.close()

    def _predict(self, x: Any) -> Any:
        examples = Examples(self._network.inputs_of(x))
        self._dtype = dtype_of(self._params, examples.inputs)
        count, size = len(examples), self._batch_size
        if self._repeats and 0 < count <= size:
            return self._record(examples)
        found: list[Array] = []
        for start in range(0, max(count, 1), size):
            rows = slice(start, min(start + size, count))
            for first, parts in self._batch(examples.rows(rows)):
                if not found:
                    found = [np.empty((count, *part.shape[1:]), part.dtype) for part in parts]
                for whole, part in zip(found, parts, strict=True):
                    whole[start + first : start + first + len(part)] = part
        names = self._network.wiring.outputs
        return found[0] if len(found) == 1 else dict(zip(names, found, strict=True))

    def _batch(self, examples: Examples) -> list[tuple[int, list[Array]]]:
        """Each part's first row and outputs, which live until the next batch."""
        count = len(examples)
        used = max(1, min(count, len(self._runs)))

        def part(place: int) -> tuple[int, list[Array]]:
            rows = slice(place * count // used, (place + 1) * count // used)
            ready = examples.rows(rows).prepared(self._program.ports, self._dtype)
            flow = forward(self._program, self._params, ready.inputs, self._runs[place])
            return rows.start, [flow.values[output] for output in self._program.outputs]

        return self._crew.run(part, used)

    def _record(self, examples: Examples) -> Array:
        x = examples.inputs[0]
        count = len(x)
        used = min(count, len(self._runs))

        def part(place: int) -> Plan:
            run, rows = self._runs[place], slice(place * count // used, (place + 1) * count // used)
            buffer = run.workspace.take("x", x[rows].shape, self._dtype)
            np.copyto(buffer, x[rows], casting="unsafe")
            calls: list[Call] = []
            run.tape = calls
            flow = forward(self._program, self._params, (buffer,), run)
            run.tape = None
            return Plan(rows, buffer, calls, flow.values[self._program.outputs[0]])

        plans = self._crew.run(part, used)
        moves = sum(run.workspace.moves for run in self._runs)
        if moves != self._moves:
            self._plans.clear()  # they use buffers that have moved
            self._moves = moves
        self._plans[x.shape, x.dtype.char] = plans
        return np.concatenate([plan.y for plan in plans])

    def _in_parts(self, plans: list[Plan], x: AnyArray) -> Array:
        y = np.empty((len(x), *plans[0].y.shape[1:]), self._dtype)

        def part(place: int) -> None:
            plan = plans[place]
            plan.x[...] = x[plan.rows]
            for call in plan.calls:
                call()
            y[plan.rows] = plan.y

        self._crew.run(part, len(plans))
        return y


def predict_once(network: Network, params: Params, x: Any, batch_size: int) -> Any:
    """What a predictor says that nobody asks again."""
    with _SPARE.borrowed() as workspace:
        return Predictor(network, params, batch_size, 1, workspace)(x)
