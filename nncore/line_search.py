"""How far to go along a direction: a length that meets the strong Wolfe conditions.

The loss must fall by at least c1 = 1e-4 of what its slope at the start promises, and the slope's
size must fall to c2 = .9 of that at the start. First the lengths grow until they enclose such a
one, then the enclosure shrinks; trial lengths are the minima of cubics through both ends.
Nocedal and Wright, 2006, section 3.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from nncore.arrays import Array

_ENOUGH_FALL, _ENOUGH_FLAT = 1e-4, 0.9
_TRIALS = 25
_SMALLEST = 1e-9


@dataclass(frozen=True, slots=True)
class Point:
    """A length, the loss and gradient there, and the gradient's slope along the direction."""

    length: float
    loss: float
    gradient: Array
    slope: float


At = Callable[[float], Point]


def strong_wolfe(at: At, start: Point, length: float, size: float) -> tuple[Point, int]:
    """A good point and how many were asked for; `size` is the direction's largest element."""
    before, point, trials = start, at(length), 0
    while trials < _TRIALS:
        if _too_far(point, start) or (trials > 1 and point.loss >= before.loss):
            break
        if _flat(point, start):
            return point, trials + 1
        if point.slope >= 0:
            break
        bounds = (point.length + 0.01 * (point.length - before.length), 10 * point.length)
        before, point = point, at(_lowest(before, point, bounds))
        trials += 1
    if trials == _TRIALS:
        before = start
    return _narrowed(at, start, [before, point], size, trials)


def _narrowed(
    at: At, start: Point, ends: list[Point], size: float, trials: int
) -> tuple[Point, int]:
    """Shrink the stretch between two points; the lower end, and how many were asked for in all."""
    low = 0 if ends[0].loss <= ends[1].loss else 1
    hesitant = False
    while trials < _TRIALS:
        left, right = sorted(end.length for end in ends)
        if (right - left) * size < _SMALLEST:
            break
        length, hesitant = _inside(_lowest(ends[0], ends[1]), left, right, hesitant)
        point = at(length)
        trials += 1
        if _too_far(point, start) or point.loss >= ends[low].loss:
            ends[1 - low] = point
            low = 0 if ends[0].loss <= ends[1].loss else 1
            continue
        done = _flat(point, start)
        if not done and point.slope * (ends[1 - low].length - ends[low].length) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = point
        if done:
            break
    return ends[low], trials + 1


def _too_far(point: Point, start: Point) -> bool:
    promised = start.loss + _ENOUGH_FALL * point.length * start.slope
    return not point.loss <= promised


def _flat(point: Point, start: Point) -> bool:
    return abs(point.slope) <= -_ENOUGH_FLAT * start.slope


def _inside(length: float, left: float, right: float, hesitant: bool) -> tuple[float, bool]:
    """Keep off the ends the second time running that a length comes close to one."""
    margin = 0.1 * (right - left)
    if min(right - length, length - left) >= margin:
        return length, False
    if not (hesitant or length >= right or length <= left):
        return length, True
    nearer_right = abs(length - right) < abs(length - left)
    return (right - margin if nearer_right else left + margin), False


def _lowest(one: Point, other: Point, bounds: tuple[float, float] | None = None) -> float:
    """The minimum, within bounds, of the cubic with both points' losses and slopes."""
    first, last = (one, other) if one.length <= other.length else (other, one)
    least, most = bounds or (first.length, last.length)
    reach = last.length - first.length
    bend = first.slope + last.slope - 3 * (first.loss - last.loss) / (first.length - last.length)
    square = bend * bend - first.slope * last.slope
    if not 0 <= square < math.inf:
        return (least + most) / 2
    root = math.sqrt(square)
    share = (last.slope + root - bend) / (last.slope - first.slope + 2 * root)
    return min(max(last.length - reach * share, least), most)
