"""One training step laid open: every value, every gradient, every weight after the update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nncore.arrays import Array, Params, dtype_of
from nncore.documents import parse
from nncore.examples import Examples
from nncore.execution import backward, forward
from nncore.objective import Objective, before_losses
from nncore.optimizers import Optimizer
from nncore.passes import Run
from nncore.penalties import add_penalties
from nncore.program import Program, Stage
from nncore.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Traced:
    """A value (N, ...) and the loss's gradient in it (None where no weight depends on it)."""

    value: Array
    gradient: Array | None


@dataclass(frozen=True, slots=True)
class Trace:
    """What one step computes.

    `values` by name: each input; each layer by its name; what a layer gives before its activation
    as `<layer>.<type>`, e.g. `dense_1.dense`. An activation that the loss applies by itself has a
    value and no gradient. `gradients` and `updated` weights are keyed like params.
    """

    loss: float
    values: dict[str, Traced]
    gradients: Params
    updated: Params


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def trace(
    program: Program,
    params: Params,
    examples: Examples,
    objective: Objective,
    optimizer: str | Mapping[str, Any] | Optimizer,
) -> Trace:
    """The trace of a step on these examples in training mode with seed 0; changes nothing."""
    whole = program.with_input_gradients()
    ready = examples.prepared(whole.ports, dtype_of(params, examples.inputs))
    run = Run(Workspace(), training=True)
    flow = forward(whole, params, ready.inputs, run)
    values = {number: np.array(value) for number, value in flow.values.items()}
    losses = before_losses(whole, objective.losses)
    means: list[float] = []
    slopes: dict[int, Array] = {}
    for index, (output, loss) in enumerate(zip(losses.outputs, objective.losses, strict=True)):
        targets, mask = ready.targets[index], flow.masks.get(output)
        terms = loss.terms(targets, mask)
        mean, slope = loss.forward(values[output], targets, terms, ready.weights[index], mask)
        slope = slope * (objective.weights[index] * loss.outer(mean)[1])
        slopes[output] = slopes[output] + slope if output in slopes else slope
        means.append(mean)
    seen: dict[int, Array] = {}
    gradients = backward(losses, params, flow, slopes, run, seen)
    total = objective.value(means) + add_penalties(losses, params, gradients)
    seen |= slopes
    named = {
        name: Traced(values[number], seen.get(number)) for name, number in _names(whole).items()
    }
    gradients = {name: np.array(gradient) for name, gradient in gradients.items()}
    updated = _updated(params, gradients, run.renewed, optimizer)
    return Trace(total, named, gradients, updated)


def _names(program: Program) -> dict[str, int]:
    last: dict[str, Stage] = {stage.layer: stage for stage in program.stages}
    names = {port.name: number for number, port in enumerate(program.ports)}
    for stage in program.stages:
        final = last[stage.layer] is stage
        name = stage.layer if final else f"{stage.layer}.{stage.operation.type_name}"
        names[name] = stage.output
    return names


def _updated(
    params: Params,
    gradients: Params,
    renewed: Params,
    optimizer: str | Mapping[str, Any] | Optimizer,
) -> Params:
    chosen = parse(Optimizer, optimizer)
    updated = {name: weight.copy() for name, weight in params.items()}
    trained = {name: updated[name] for name in gradients}
    slots = chosen.start(trained)
    copies = {name: gradient.copy() for name, gradient in gradients.items()}
    chosen.update(trained, copies, slots, 1, chosen.learning_rate)
    return updated | {name: value.copy() for name, value in renewed.items()}
