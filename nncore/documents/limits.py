"""Limits of a number, written beside its type: `Annotated[int, Range(min=1)]`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number: `min` and `max` belong to it, `above` and `below` do not."""

    min: float | None = None
    max: float | None = None
    above: float | None = None
    below: float | None = None

    def admits(self, value: float) -> bool:
        """Whether a number lies within the bounds."""
        return not (
            (self.min is not None and value < self.min)
            or (self.max is not None and value > self.max)
            or (self.above is not None and value <= self.above)
            or (self.below is not None and value >= self.below)
        )

    def words(self) -> str:
        """The bounds in words: `at least 0 and below 1`."""
        parts = (
            ("at least", self.min),
            ("above", self.above),
            ("at most", self.max),
            ("below", self.below),
        )
        return " and ".join(f"{word} {bound:.15g}" for word, bound in parts if bound is not None)

    def keywords(self) -> dict[str, float]:
        """The bounds as JSON schema keywords."""
        parts = {
            "minimum": self.min,
            "exclusiveMinimum": self.above,
            "maximum": self.max,
            "exclusiveMaximum": self.below,
        }
        return {key: bound for key, bound in parts.items() if bound is not None}
