"""Figures with their goals, as results keep them and the report shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.report import aligned, percentile


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a value should lie."""

    name: str
    value: float
    unit: str
    sign: Literal["<=", ">="]
    wanted: float

    @property
    def met(self) -> bool:
        """Whether it does."""
        return self.value <= self.wanted if self.sign == "<=" else self.value >= self.wanted


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value, maybe the median of several, and the goals for it."""

    name: str
    value: float
    unit: str
    sign: Literal["<=", ">="] = "<="
    wanted: float | None = None
    wanted_p99: float | None = None
    p99: float | None = None
    count: int | None = None

    def goals(self) -> list[Goal]:
        """One for the value and one for its p99, where there are any."""
        found = []
        is_median = self.p99 is not None
        if self.wanted is not None:
            name = f"{self.name}, p50" if is_median else self.name
            found.append(Goal(name, self.value, self.unit, self.sign, self.wanted))
        if self.wanted_p99 is not None and self.p99 is not None:
            found.append(Goal(f"{self.name}, p99", self.p99, self.unit, "<=", self.wanted_p99))
        return found

    def cells(self) -> list[str]:
        """What the table shows."""
        p99 = "" if self.p99 is None else _short(self.p99)
        count = "" if self.count is None else str(self.count)
        return [self.name, _short(self.value), p99, self.unit, count]


def summary(samples: Sequence[float]) -> dict[str, Any]:
    """What is kept of samples."""
    return {
        "p50": round(percentile(samples, 50), 3),
        "p99": round(percentile(samples, 99), 3),
        "max": round(max(samples), 3),
        "count": len(samples),
    }


def figure(
    name: str, found: dict[str, Any], *, p50: float | None = None, p99: float | None = None
) -> Figure:
    """Milliseconds, from what was kept of their samples."""
    return Figure(
        name,
        found["p50"],
        "ms",
        wanted=p50,
        wanted_p99=p99,
        p99=found["p99"],
        count=found["count"],
    )


def verdicts(goals: Iterable[Goal]) -> str:
    """A table of goals."""
    rows = [["goal", "wanted", "", "reached"]]
    for goal in goals:
        wanted = f"{goal.sign} {goal.wanted:g} {goal.unit}"
        reached = f"{_short(goal.value)} {goal.unit}"
        rows.append([goal.name, wanted, "met" if goal.met else "MISSED", reached])
    return aligned(rows)


def table(figures: Iterable[Figure]) -> str:
    """A table of figures."""
    return aligned([["", "p50", "p99", "unit", "samples"], *(each.cells() for each in figures)])


def _short(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
