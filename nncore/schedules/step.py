"""A learning rate that falls in steps: gamma^k after k falls.

A fall is every `step_size` optimizer steps (a third of the run if not given), or at each of the
`boundaries`, counted in optimizer steps.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Annotated

from nncore.documents.limits import Range
from nncore.errors import DocumentError
from nncore.registry import register
from nncore.schedules.schedule import Schedule
from nncore.shapes import Positive


@register("step")
@dataclass(frozen=True, slots=True)
class Step(Schedule):
    """The learning rate times `gamma` every so many steps, or at given steps."""

    step_size: Positive | None = None
    gamma: Annotated[float, Range(above=0)] = 0.1
    boundaries: tuple[Positive, ...] | None = None

    def __post_init__(self) -> None:
        if self.boundaries is None:
            return
        if self.step_size is not None:
            raise DocumentError("/step_size", "give step_size or boundaries, not both")
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise DocumentError("/boundaries", "must grow from one to the next, e.g. [100, 200]")

    def course(self, step: int, steps: int) -> float:
        if self.boundaries is not None:
            return float(self.gamma ** bisect_right(self.boundaries, step))
        return float(self.gamma ** (step // (self.step_size or -(-steps // 3))))
