"""What a run says of itself, and where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nncore.shapes import Amount, Positive
from nncore.training_state import TrainingState


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step: its number of the run's `steps`, both counted from 1, and its loss.

    `state()` is what a run needs to go on after this step, as long as the run stands there.
    """

    epoch: int
    step: int
    steps: int
    loss: float
    state: Callable[[], TrainingState] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training examples.

    `step` counts the optimizer steps so far. `loss` and the metrics are means over the epoch's
    batches as they were trained; `val_loss` and `val_<metric>` are taken at its end. The learning
    rate is the last step's, the gradient norm (before clipping) the mean over the steps. With early
    stopping, `best_epoch` is the number of the best epoch so far.
    """

    number: int
    step: int
    loss: float
    metrics: dict[str, float]
    learning_rate: float
    gradient_norm: float
    best_epoch: int | None = None


@dataclass(slots=True)
class Position:
    """Where a run stands: in which epoch (from 1), after how many of its batches and in all.

    `norms` is the sum of this epoch's gradient norms, one for each of its `epoch_steps`,
    `penalties` that of the regularizers' part of the loss, one for each of its batches.
    """

    epoch: Positive = 1
    batch: Amount = 0
    batches: Amount = 0
    step: Amount = 0
    epoch_steps: Amount = 0
    norms: float = 0.0
    penalties: float = 0.0
    rate: float = 0.0
    finished: bool = False
