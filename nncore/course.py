"""All that changes while a network is trained, and that a resumed run takes up again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from nncore.arrays import Params
from nncore.averaging import Average
from nncore.early_stopping import Stopper
from nncore.optimizers.optimizer import Slots
from nncore.reports import Position
from nncore.schedules.schedule import Memory
from nncore.scores import Scores
from nncore.training_state import VERSION, TrainingState, flattened, group, groups


@dataclass(slots=True)
class Course:
    """Weights, the optimizer's slots, what has been counted and remembered, and the position."""

    params: Params
    slots: Slots
    counted: Scores
    stopper: Stopper | None
    average: Average | None
    memory: Memory = field(default_factory=dict)
    position: Position = field(default_factory=Position)

    def state(self) -> TrainingState:
        """A copy of everything."""
        counted, tallies = self.counted.state()
        stopper, best = self.stopper.state() if self.stopper else ({}, {})
        arrays = flattened(
            {
                "params": self.params,
                "average": self.average.weights if self.average else {},
                "best": best,
                "tallies": tallies,
                **{f"optimizer/{slot}": named for slot, named in self.slots.items()},
            }
        )
        document = {
            "version": VERSION,
            "position": asdict(self.position),
            "counted": counted,
            "early_stopping": stopper,
            "schedule": dict(self.memory),
        }
        return TrainingState(arrays, document)

    def resume(self, state: TrainingState) -> None:
        """Become what another run's course was. Raises ValueError for a state of another kind."""
        arrays, document = state.arrays, state.document
        version = document.get("version")
        if version != VERSION:
            raise ValueError(f"the state must be of version {VERSION}, got {version}")
        for name, weight in group(arrays, "params").items():
            np.copyto(self.params[name], weight)
        for slot, named in groups(arrays, "optimizer").items():
            self._take_up(slot, named)
        self.position = Position(**document["position"])
        self.counted.restore(document["counted"], group(arrays, "tallies"))
        self.memory = dict(document["schedule"])
        if self.average:
            self.average.weights = group(arrays, "average")
        if self.stopper and document["early_stopping"]:
            self.stopper.resume(document["early_stopping"], group(arrays, "best"))

    def _take_up(self, slot: str, arrays: Params) -> None:
        own = self.slots.get(slot, {})
        if _kinds(own) != _kinds(arrays):
            self.slots[slot] = arrays
            return
        # Into the arrays that are there: those lie one behind the other, which is fastest.
        for name, array in arrays.items():
            np.copyto(own[name], array)


def _kinds(arrays: Params) -> dict[str, object]:
    return {name: (array.shape, array.dtype) for name, array in arrays.items()}
