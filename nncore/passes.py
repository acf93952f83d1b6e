"""What one stage sees of the pass it takes part in: mode, buffers, randomness, state to renew."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nncore.arrays import Array, Params
from nncore.factors import Factors
from nncore.seeds import bit_generator, normal_rows, uniform_rows
from nncore.shapes import elements
from nncore.shards import Meeting, T
from nncore.workspace import Workspace

Mask = NDArray[np.bool_]

Call = Callable[[], object]

_SMALL = 1 << 12


@dataclass(slots=True)
class Run:
    """One pass of one shard over all stages.

    `first_row` is the place of the shard's first example in the batch, `shard` its own place among
    the shards that meet in `meeting` (None: there is but one). `renewed` collects weights that the
    pass itself changes (running statistics), by full name. `progress` is how much of the training
    run lies behind, from 0 to 1; outside of one it is 1. `gradients` are the places that those of
    the weights go to, by full name, and `places` those among them that one stage alone writes to.
    `tape`, if there is one, takes down the calls of the stages. `forgetful`: no backward pass
    follows, so that nothing needs to be kept for it. `factored`: weights, by full name, whose
    gradients are wanted as `factors`.
    """

    workspace: Workspace
    training: bool = False
    seed: int = 0
    step: int = 0
    first_row: int = 0
    renewed: Params = field(default_factory=dict)
    shard: int = 0
    meeting: Meeting | None = None
    progress: float = 1.0
    gradients: Mapping[str, Array] = field(default_factory=dict)
    places: Mapping[str, Array] = field(default_factory=dict)
    tape: list[Call] | None = None
    fixed: bool = False
    passes: dict[int, Pass] = field(default_factory=dict)
    forgetful: bool = False
    factored: frozenset[str] = frozenset()
    factors: dict[str, Factors] = field(default_factory=dict)

    def total(self, value: T) -> T:
        """The sum over the batch's shards, added in their order, the same for each.

        Every shard must call it equally often: it waits for the others.
        """
        return self.meeting.total(self.shard, value) if self.meeting else value


@dataclass(slots=True)
class Pass:
    """A run as one stage sees it.

    `needs_dx`: whether anybody wants the input's gradient. `mask` (N, T): which positions of the
    input hold data (True) and which are padding; None: all do. A stage of several inputs has a
    tuple of masks. `owner` is the layer whose weights the stage uses, if that is another one.
    `scope` keeps the parts of a stage apart that run operations of their own. `in_place`: whether
    nobody else needs what the stage reads.
    """

    run: Run
    layer: str
    stage: int
    needs_dx: bool = True
    mask: Any = None
    owner: str | None = None
    scope: str = ""
    in_place: bool = False

    @property
    def training(self) -> bool:
        """Training mode; otherwise evaluation."""
        return self.run.training

    def buffer(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """This stage's buffer of that name, uninitialised; kept until the next batch."""
        return self.run.workspace.take((self.stage, self.scope + name), shape, dtype)

    def scratch(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """A buffer shared by all stages: contents are lost when the stage returns."""
        return self.run.workspace.take(name, shape, dtype)

    def constant(self, value: float, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """An array full of one value, which nobody may change."""
        return self.run.workspace.constant(value, shape, dtype)

    def over(self, x: Array) -> Array:
        """Where a result may go that is shaped like x: x itself if nobody else needs it."""
        return x if self.in_place else self.buffer("y", x.shape, x.dtype)

    def gradient(self, weight: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """Where the gradient of a weight, by its short name, is to be written."""
        place = self.run.places.get(f"{self.owner or self.layer}.{weight}")
        if place is None or self.scope or place.dtype != dtype:
            return self.buffer(f"d{weight}", shape, dtype)
        return place

    def keeps_factors(self, weight: str, x: Array, dy: Array) -> bool:
        """Whether the gradient x^T dy of a weight is wanted as x and dy, which it then notes."""
        name = f"{self.owner or self.layer}.{weight}"
        if self.scope or name not in self.run.factored:
            return False
        # Copies: by the end of the step other stages may have written over these.
        kept = Factors(
            self.buffer(f"{weight} x", x.shape, x.dtype),
            self.buffer(f"{weight} dy", dy.shape, dy.dtype),
        )
        self.do(np.copyto, kept.x, x)
        self.do(np.copyto, kept.dy, dy)
        self.run.factors[name] = kept
        return True

    def spread(self, row: Array, shape: tuple[int, ...]) -> Array:
        """A weight that is to be added to each row of a small array, ready for that.

        Where weights stay as they are this is a copy for each row: NumPy adds arrays of one shape
        four times as fast as it repeats a row.
        """
        if not self.run.fixed or math.prod(shape) > _SMALL:
            return row
        rows = self.buffer("rows", shape, row.dtype)
        np.copyto(rows, row)
        return rows

    def of_weights(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """A buffer for what `once` makes of weights: scratch, unless they stay as they are."""
        # Examples of other shapes may want something else, which must not take its place.
        return (
            self.buffer(f"{name} {shape}", shape, dtype)
            if self.run.fixed
            else self.scratch(name, shape, dtype)
        )

    def once(self, function: Callable[..., object], *arguments: Any, **named: Any) -> None:
        """`do` for what depends on weights alone: not repeated where they stay as they are."""
        if self.run.fixed:
            function(*arguments, **named)
        else:
            self.do(function, *arguments, **named)

    def do(self, function: Callable[..., object], *arguments: Any, **named: Any) -> None:
        """Call a function now, and again whenever the pass is repeated with other numbers."""
        if self.run.tape is not None:
            self.run.tape.append(partial(function, *arguments, **named))
        function(*arguments, **named)

    def uniform(self, shape: tuple[int, ...], name: str = "") -> NDArray[np.float32]:
        """Uniform numbers in [0, 1) for the shard's examples, (N, ...), the same however split.

        Each name has numbers of its own.
        """
        purpose = [self.scope + name] if self.scope + name else []
        stream = bit_generator(self.run.seed, "layer", self.layer, self.run.step, *purpose)
        numbers = uniform_rows(stream, self.run.first_row, shape[0], elements(shape[1:]))
        return numbers.reshape(shape)

    def normal(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Standard normal numbers for the shard's examples, (N, ...), the same however split."""
        width = elements(shape[1:])
        uniform = self.uniform((shape[0], 2, (width + 1) // 2))
        return normal_rows(uniform, width).reshape(shape)

    def inner(self, scope: str) -> Pass:
        """The pass of one part of this stage: buffers and random numbers of its own."""
        return replace(self, scope=f"{self.scope}{scope}.", in_place=False)

    def of_steps(self, steps: int) -> Pass:
        """The pass of an operation whose examples are the `steps` steps of each example."""
        run = replace(self.run, first_row=self.run.first_row * steps)
        return replace(self, run=run, mask=None, in_place=False)

    def sum_over_shards(self, value: Array) -> Array:
        """The sum of `value` over the batch's shards, added in their order, the same for each.

        Every shard must call it equally often: it waits for the others.
        """
        return self.run.total(value)

    def renew(self, weight: str, value: Array) -> None:
        """Set a non-trainable weight after the step (to the mean over the batch's shards)."""
        self.run.renewed[f"{self.owner or self.layer}.{weight}"] = value
