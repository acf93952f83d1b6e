"""A learning rate that falls when a figure no longer improves: times `gamma` after `patience`.

An epoch improves if the figure beats the best one so far by more than `min_delta`. After a fall,
`cooldown` epochs do not count. As Keras' ReduceLROnPlateau.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from nncore import registry
from nncore.documents.limits import Range
from nncore.metrics import Metric
from nncore.registry import register
from nncore.schedules.schedule import Memory, Schedule, Share
from nncore.shapes import Positive


@register("reduce_on_plateau")
@dataclass(frozen=True, slots=True)
class ReduceOnPlateau(Schedule):
    """The learning rate times `gamma` whenever a figure has not improved for `patience` epochs."""

    metric: str = "val_loss"
    gamma: Annotated[float, Range(above=0, below=1)] = 0.1
    patience: Positive = 10
    min_delta: Annotated[float, Range(min=0)] = 1e-4
    cooldown: Annotated[int, Range(min=0)] = 0
    min_factor: Share = 0.0

    def course(self, step: int, steps: int) -> float:
        return 1.0

    def watched(self) -> str | None:
        return self.metric

    def after_epoch(self, memory: Memory, figures: Mapping[str, float]) -> Memory:
        figure = figures[self.metric] * (1 if _greater_is_better(self.metric) else -1)
        now = {"factor": 1.0, "best": figure, "waited": 0, "cooling": 0, **memory}
        if now["cooling"]:
            now["cooling"] -= 1
            now["waited"] = 0
        if not memory or figure > now["best"] + self.min_delta:
            return {**now, "best": figure, "waited": 0}
        if now["cooling"]:
            return now
        if now["waited"] + 1 < self.patience:
            return {**now, "waited": now["waited"] + 1}
        factor = max(now["factor"] * self.gamma, self.min_factor)
        return {**now, "factor": factor, "cooling": self.cooldown, "waited": 0}


def _greater_is_better(figure: str) -> bool:
    """Whether a metric of that name, perhaps of one output, is better the greater it is."""
    names = [
        name for name in registry.units(Metric) if figure == name or figure.endswith("_" + name)
    ]
    if not names:
        return False
    unit = registry.units(Metric)[max(names, key=len)]
    return bool(getattr(unit, "greater_is_better", False))
