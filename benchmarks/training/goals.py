"""What is wanted of a figure, and what was reached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.report import aligned


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the report's head."""

    name: str
    reached: str
    wanted: str
    met: bool


def table(goals: Iterable[Goal], trusted: bool) -> str:
    """The goals, each with its verdict; none if the figures are not to be trusted."""
    rows = [["goal", "wanted", "", "reached"]]
    rows += [[goal.name, goal.wanted, _verdict(goal, trusted), goal.reached] for goal in goals]
    return aligned(rows) if len(rows) > 1 else "Nothing has been measured."


def _verdict(goal: Goal, trusted: bool) -> str:
    if not trusted:
        return "unsure"
    return "met" if goal.met else "MISSED"
