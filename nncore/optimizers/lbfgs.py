"""L-BFGS: Newton's method with a curvature learnt from the last steps, on all examples at once.

The direction is -H g, where H is built from `history_size` pairs of steps s and gradient changes y
by the two-loop recursion; along it a strong Wolfe line search looks for a good length. One training
step makes up to `max_iter` such moves. Nocedal, 1980; Liu and Nocedal, 1989.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from nncore.arrays import Array, check_arrays
from nncore.documents.limits import Range
from nncore.line_search import Point, strong_wolfe
from nncore.optimizers.optimizer import Evaluate, Optimizer, Slots
from nncore.registry import register
from nncore.shapes import Positive

_FLAT = 1e-10  # curvature y.s below which a pair says nothing


@dataclass(slots=True)
class _Course:
    """Where the moves stand, all weights as one vector.

    `previous` and `direction` are the gradient before the last move and its direction, `length` its
    length; `steps` and `changes` (history, weights) the pairs; `moves` counts from the start.
    """

    previous: Array
    direction: Array
    steps: Array
    changes: Array
    length: float = 0.0
    scale: float = 1.0
    moves: int = 0

    @classmethod
    def of(cls, slot: Mapping[str, Array], like: Array) -> _Course:
        """The course in an optimizer's state, or a fresh one."""
        if not slot:
            none = np.empty((0, like.size), like.dtype)
            return cls(like, like, none, none)
        length, scale, moves = slot["numbers"].tolist()
        vectors = {name: slot[name] for name in ("previous", "direction", "steps", "changes")}
        return cls(**vectors, length=length, scale=scale, moves=int(moves))

    def slot(self) -> dict[str, Array]:
        """The course as arrays."""
        return {
            "previous": self.previous,
            "direction": self.direction,
            "steps": self.steps,
            "changes": self.changes,
            "numbers": np.array([self.length, self.scale, float(self.moves)]),
        }

    def turn(self, gradient: Array, history: int) -> None:
        """Learn from the last move, and choose the direction of the next one."""
        self.moves += 1
        if self.moves > 1:
            change, step = gradient - self.previous, self.direction * self.length
            curvature = float(change @ step)
            if curvature > _FLAT:
                self.steps = np.concatenate([self.steps, step[None]])[-history:]
                self.changes = np.concatenate([self.changes, change[None]])[-history:]
                self.scale = curvature / float(change @ change)
        self.previous = gradient
        self.direction = self._newton(-gradient)

    def _newton(self, vector: Array) -> Array:
        shares = []
        pairs = list(zip(self.steps, self.changes, strict=True))
        for step, change in reversed(pairs):
            shares.append(float(step @ vector) / float(change @ step))
            vector = vector - shares[-1] * change
        vector = vector * vector.dtype.type(self.scale)
        for (step, change), share in zip(pairs, reversed(shares), strict=True):
            vector = vector + (share - float(change @ vector) / float(change @ step)) * step
        return vector


@register("lbfgs")
@dataclass(frozen=True, slots=True)
class Lbfgs(Optimizer):
    """Newton's method with a curvature learnt from the last steps; batch_size must be null."""

    full_batch: ClassVar[bool] = True

    learning_rate: Annotated[float, Range(min=0)] = 1.0
    max_iter: Positive = 20
    max_eval: Positive | None = None
    tolerance_grad: Annotated[float, Range(min=0)] = 1e-7
    tolerance_change: Annotated[float, Range(min=0)] = 1e-9
    history_size: Positive = 100
    line_search: bool = True

    def start(self, params: Mapping[str, Array]) -> Slots:
        return {}

    def check(self, params: Mapping[str, Array], state: Slots) -> None:
        if "course" not in state:
            return
        flat = np.concatenate([weight.reshape(-1) for weight in params.values()])
        course = _Course.of(state["course"], flat)
        pairs = (len(course.steps), flat.size)
        like = {"previous": flat, "direction": flat, "steps": np.empty(pairs, flat.dtype)}
        like |= {"changes": like["steps"], "numbers": np.empty(3)}
        check_arrays("the optimizer's course", like, state["course"])

    def search(
        self,
        params: Mapping[str, Array],
        loss: float,
        gradients: Mapping[str, Array],
        state: Slots,
        step: int,
        learning_rate: float,
        evaluate: Evaluate,
    ) -> None:
        here = _flat(params, gradients)
        if not here.size or np.abs(here).max() <= self.tolerance_grad or not learning_rate:
            return
        course = _Course.of(state.get("course", {}), here)
        budget = (self.max_eval or self.max_iter * 5 // 4) - 1
        for move in range(1, self.max_iter + 1):
            course.turn(here, self.history_size)
            course.length = learning_rate
            if course.moves == 1:
                course.length *= min(1.0, 1 / float(np.abs(here).sum()))
            if float(here @ course.direction) > -self.tolerance_change:
                break
            last = move == self.max_iter and not self.line_search
            point, used = self._advance(params, loss, here, course, evaluate, last)
            budget -= used
            moved = float(np.abs(course.direction).max()) * course.length
            settled = moved <= self.tolerance_change
            settled |= abs(point.loss - loss) < self.tolerance_change
            loss, here = point.loss, point.gradient
            if budget <= 0 or settled or np.abs(here).max() <= self.tolerance_grad:
                break
        state["course"] = course.slot()

    def _advance(
        self,
        params: Mapping[str, Array],
        loss: float,
        gradient: Array,
        course: _Course,
        evaluate: Evaluate,
        last: bool,
    ) -> tuple[Point, int]:
        """Move the weights; the loss and gradient there, and how often the loss was asked for."""
        start = {name: params[name].copy() for name in params}

        def at(length: float) -> Point:
            _place(params, start, course.direction, length)
            value, found = evaluate()
            slopes = _flat(params, found)
            value = value if math.isfinite(value) else math.inf
            return Point(length, value, slopes, float(slopes @ course.direction))

        here = Point(0.0, loss, gradient, float(gradient @ course.direction))
        if last:
            _place(params, start, course.direction, course.length)
            return here, 0
        if not self.line_search:
            return at(course.length), 1
        size = float(np.abs(course.direction).max())
        point, used = strong_wolfe(at, here, course.length, size)
        course.length = point.length
        _place(params, start, course.direction, point.length)
        return point, used


def _flat(params: Mapping[str, Array], gradients: Mapping[str, Array]) -> Array:
    """The gradients of all weights, in the weights' order, as one fresh vector."""
    parts = [gradients[name].reshape(-1) for name in params]
    return np.concatenate(parts) if parts else np.empty(0)


def _place(
    params: Mapping[str, Array], start: Mapping[str, Array], direction: Array, length: float
) -> None:
    """Set the weights to start + length * direction."""
    done = 0
    for name, weight in params.items():
        part = direction[done : done + weight.size].reshape(weight.shape)
        np.add(start[name], length * part, out=weight)
        done += weight.size
