"""Goals and whether a run has met them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.report import aligned

MISSED = "MISSED"


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the table of goals; `met` is None where the other side or ours is absent."""

    name: str
    reached: str
    wanted: str
    met: bool | None
    disturbed: bool = False

    @property
    def verdict(self) -> str:
        """In words; one from a machine that others used too is only a hint."""
        if self.met is None:
            return "not measured"
        return ("met" if self.met else MISSED) + (", unsure" if self.disturbed else "")


def unmeasured(name: str, wanted: str) -> Goal:
    """A goal without a figure."""
    return Goal(name, "", wanted, None)


def table(goals: Iterable[Goal]) -> str:
    """The goals, each with its verdict."""
    rows = [["goal", "wanted", "", "reached"]]
    rows += [[goal.name, goal.wanted, goal.verdict, goal.reached] for goal in goals]
    return aligned(rows)
