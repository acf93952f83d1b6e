"""The schedules' cases: documents, and the figures of epochs where a schedule looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.nncore.references.recorded import title

STEPS = 24
FIGURES = [1.0, 0.8, 0.81, 0.8, 0.79, 0.79, 0.785, 0.9, 0.9, 0.9, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6]


@dataclass(frozen=True)
class ScheduleCase:
    """A schedule over STEPS steps, or over FIGURES."""

    document: dict[str, Any]

    @property
    def name(self) -> str:
        """Tells the case from all others."""
        return title(self.document)

    @property
    def follows_figures(self) -> bool:
        """Whether it is epochs that it looks at, not steps."""
        return self.document["type"] == "reduce_on_plateau"


_WATCHED = {"type": "reduce_on_plateau", "metric": "loss"}
SCHEDULES = [
    ScheduleCase(document)
    for document in (
        {"type": "constant"},
        {"type": "constant", "warmup_steps": 5},
        {"type": "step"},
        {"type": "step", "step_size": 5, "gamma": 0.7},
        {"type": "step", "boundaries": [3, 4, 15], "gamma": 0.5},
        {"type": "exponential"},
        {"type": "exponential", "decay_rate": 0.6, "decay_steps": 7},
        {"type": "exponential", "decay_rate": 0.6, "decay_steps": 7, "staircase": True},
        {"type": "polynomial"},
        {"type": "polynomial", "power": 2.5, "end_factor": 0.1, "decay_steps": 15},
        {"type": "cosine"},
        {"type": "cosine", "alpha": 0.2, "decay_steps": 15},
        {"type": "cosine", "warmup_steps": 4},
        {"type": "cosine_restarts"},
        {"type": "cosine_restarts", "first_decay_steps": 3},
        {"type": "cosine_restarts", "first_decay_steps": 5, "t_mul": 1, "m_mul": 0.8},
        {"type": "cosine_restarts", "first_decay_steps": 4, "t_mul": 1.5, "alpha": 0.1},
        {"type": "one_cycle"},
        {"type": "one_cycle", "pct_start": 0.45, "div_factor": 10.0, "final_div_factor": 100.0},
        {"type": "one_cycle", "anneal_strategy": "linear"},
        _WATCHED | {"patience": 2},
        _WATCHED | {"patience": 1, "gamma": 0.5, "min_delta": 0.008, "cooldown": 2},
        _WATCHED | {"patience": 2, "gamma": 0.3, "min_factor": 0.2},
    )
]
