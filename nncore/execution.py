"""Forward and backward passes over a program's stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nncore.arrays import AnyArray, Array, Params, dtype_of
from nncore.passes import Mask, Pass, Run
from nncore.program import Program, Stage
from nncore.workspace import Workspace


@dataclass(slots=True)
class Flow:
    """What a forward pass leaves: values and masks by their numbers, caches by stage."""

    values: dict[int, Any]
    masks: dict[int, Mask | None] = field(default_factory=dict)
    caches: dict[int, Any] = field(default_factory=dict)

    def read(self, stage: Stage) -> tuple[Any, Any]:
        """What a stage reads, and its mask: tuples if it reads many."""
        values = tuple(self.values[value] for value in stage.inputs)
        masks = tuple(self.masks.get(value) for value in stage.inputs)
        return (values, masks) if stage.operation.many else (values[0], masks[0])


def forward(program: Program, params: Params, inputs: Sequence[AnyArray], run: Run) -> Flow:
    """Every value of a pass over these inputs (N, ...), one for each port."""
    flow = Flow(dict(enumerate(inputs)))
    for stage in program.stages:
        advance(stage, params, flow, run)
    return flow


def advance(stage: Stage, params: Params, flow: Flow, run: Run) -> None:
    """Execute one stage of a forward pass."""
    x, mask = flow.read(stage)
    if not stage.operation.wants_integers():
        x = _floating(x, params)
    pass_ = _pass(stage, run, mask)
    y, flow.caches[stage.index] = stage.operation.forward(_own(stage, params, run), x, pass_)
    flow.values[stage.output] = y
    flow.masks[stage.output] = _fitting(stage.operation.output_mask(x, mask), y)


def backward(
    program: Program,
    params: Params,
    flow: Flow,
    slopes: dict[int, Array],
    run: Run,
    seen: dict[int, Array] | None = None,
) -> Params:
    """Gradients of all trainable weights, by full name, from those of some values.

    `slopes` (value by number: gradient, which may be overwritten) ends with those of the inputs
    that are wanted; `seen` collects copies of all gradients of values on the way.
    """
    gradients: Params = {}
    for stage in reversed(program.stages):
        slope = slopes.pop(stage.output, None)
        if slope is None:
            continue
        if seen is not None:
            seen[stage.output] = slope.copy()
        if stage.wanted or stage.learns:
            pass_ = _pass(stage, run, flow.read(stage)[1])
            cache = flow.caches[stage.index]
            dx, own = stage.operation.backward(stage.own(params), cache, slope, pass_)
            _collect(gradients, stage, own, run)
            _hand_back(slopes, stage, dx)
    return gradients


def _pass(stage: Stage, run: Run, mask: Any) -> Pass:
    pass_ = run.passes.get(stage.index)
    if pass_ is None:
        pass_ = run.passes[stage.index] = Pass(
            run,
            stage.layer,
            stage.index,
            stage.needs_dx,
            owner=stage.owner,
            in_place=stage.in_place,
        )
    pass_.mask = mask
    return pass_


def _own(stage: Stage, params: Params, run: Run) -> Params:
    own = stage.own(params)
    # A layer used at several places goes on from the state that it left at the one before.
    if run.renewed:
        for name in own:
            if (key := stage.key(name)) in run.renewed:
                own[name] = run.renewed[key]
    return own


def _floating(x: Any, params: Params) -> Any:
    if isinstance(x, tuple):
        return tuple(_floating(part, params) for part in x)
    return x.astype(dtype_of(params)) if x.dtype.kind in "iu" else x


def _fitting(mask: Mask | None, y: Array) -> Mask | None:
    return mask if mask is not None and y.shape[: mask.ndim] == mask.shape else None


def _collect(gradients: Params, stage: Stage, own: Params, run: Run) -> None:
    for name, gradient in own.items():
        if not stage.weights[name].trainable:
            continue
        key = stage.key(name)
        place = run.gradients.get(key)
        if key in gradients:
            # The first use's buffer stays as it is: other weights' gradients may be views of it.
            gradients[key] = np.add(gradients[key], gradient, out=place)
            continue
        if place is not None and gradient is not place:
            np.copyto(place, gradient)
        gradients[key] = gradient if place is None else place


def _hand_back(slopes: dict[int, Array], stage: Stage, dx: Any) -> None:
    """Add a stage's dL/dx to the gradients of what it read; each stays an array of its own."""
    given: list[Array] = []
    for value, part in zip(stage.inputs, dx if stage.operation.many else (dx,), strict=True):
        if value not in stage.wanted:
            continue
        if value in slopes:
            slopes[value] += part
            continue
        if not part.flags.writeable or any(np.may_share_memory(part, one) for one in given):
            part = part.copy()
        slopes[value] = part
        given.append(part)


def first_not_finite(program: Program, params: Params, inputs: Sequence[AnyArray]) -> str | None:
    """The first layer whose weights or outputs are not finite on these inputs, or None.

    The name of an input if it is that itself.
    """
    for port, x in zip(program.ports, inputs, strict=True):
        if not np.isfinite(x).all():
            return port.name
    run, flow = Run(Workspace()), Flow(dict(enumerate(inputs)))
    with np.errstate(all="ignore"):
        for stage in program.stages:
            advance(stage, params, flow, run)
            arrays = (*stage.own(params).values(), flow.values[stage.output])
            if not all(np.isfinite(array).all() for array in arrays):
                return stage.layer
    return None
