"""All that changes while a network is trained, and that a resumed run takes up again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from nncore.arrays import AnyArray, Params, check_arrays
from nncore.averaging import Average
from nncore.early_stopping import Stopper
from nncore.optimizers import Optimizer
from nncore.optimizers.optimizer import Slots
from nncore.reports import Position
from nncore.resuming import Run, check_run, finite, read_position, whole
from nncore.schedules.schedule import Memory
from nncore.scores import Scores
from nncore.training_state import VERSION, TrainingState, flattened, group, groups


@dataclass(slots=True)
class Course:
    """Weights, the optimizer's slots, what has been counted and remembered, and the position."""

    run: Run
    params: Params
    optimizer: Optimizer
    trained: Params
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
            "run": self.run,
            "position": asdict(self.position),
            "counted": counted,
            "early_stopping": stopper,
            "schedule": dict(self.memory),
        }
        return TrainingState(arrays, document)

    def resume(self, state: TrainingState, batches: int) -> None:
        """Become what another run's course was, with so many batches an epoch.

        Raises StateError if that was of another run, or if something is missing.
        """
        check_run(state, self.run)
        with whole():
            self._take_up(state.arrays, state.document, batches)

    def _take_up(
        self, arrays: Mapping[str, AnyArray], document: Mapping[str, Any], batches: int
    ) -> None:
        params, slots = group(arrays, "params"), groups(arrays, "optimizer")
        check_arrays("params", self.params, params)
        self.optimizer.check(self.trained, slots)
        position = read_position(document["position"])
        if position.batch > batches:
            raise ValueError(f"batch {position.batch} of an epoch of {batches}")
        self.memory = finite(document["schedule"])
        self.counted.restore(document["counted"], group(arrays, "tallies"))
        if self.average and (average := group(arrays, "average")):
            check_arrays("average", self.trained, average)
            self.average.weights = average
        if self.stopper:
            best = group(arrays, "best")
            check_arrays("best", self.params if best else {}, best)
            remembered = document["early_stopping"]
            finite({name: number for name, number in remembered.items() if number is not None})
            self.stopper.resume(remembered, best)
        self.slots |= slots
        self.position = position
        for name, weight in params.items():
            np.copyto(self.params[name], weight)
