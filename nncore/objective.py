"""What training makes small: a weighted sum of one loss for each output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nncore.activations import Activation
from nncore.documents import parse
from nncore.errors import ConfigError, DocumentError, few, step_into
from nncore.losses import Loss
from nncore.operation import Operation
from nncore.program import Program, Stage

LossChoice = str | Mapping[str, Any] | Loss
"""A loss, by name or as a document; for several outputs a mapping of them by output."""


@dataclass(frozen=True, slots=True)
class Objective:
    """A loss and its weight for each output."""

    losses: tuple[Loss, ...]
    weights: tuple[float, ...]

    @property
    def doubt(self) -> str | None:
        """What may make it infinite for finite outputs."""
        return next((loss.doubt for loss in self.losses if loss.doubt), None)

    def value(self, means: Sequence[float]) -> float:
        """The weighted sum, from the mean of each loss's terms."""
        total = 0.0
        for loss, weight, mean in zip(self.losses, self.weights, means, strict=True):
            total += weight * loss.outer(mean)[0]
        return total


def objective(
    choice: LossChoice | Mapping[str, Loss],
    outputs: Sequence[str],
    weights: Mapping[str, float] | None = None,
) -> Objective:
    """The objective for these outputs. One loss for all of them, or a mapping with each's own.

    Raises DocumentError.
    """
    if isinstance(choice, Mapping) and "type" not in choice:
        losses = _of_each(choice, outputs)
    else:
        losses = (parse(Loss, choice),) * len(outputs)
    for name in weights or {}:
        if name not in outputs:
            raise _unknown("/loss_weights", name, outputs)
    return Objective(losses, tuple(float((weights or {}).get(name, 1)) for name in outputs))


def _of_each(choice: Mapping[str, Any], outputs: Sequence[str]) -> tuple[Loss, ...]:
    for name in choice:
        if name not in outputs:
            raise _unknown("/loss", name, outputs)
    for name in outputs:
        if name not in choice:
            raise ConfigError(step_into("/loss", name), "is required: each output needs a loss")
    losses = []
    for name in outputs:
        try:
            losses.append(parse(Loss, choice[name]))
        except DocumentError as error:
            raise error.under(step_into("/loss", name)) from None
    return tuple(losses)


def _unknown(pointer: str, name: str, outputs: Sequence[str]) -> ConfigError:
    return ConfigError(step_into(pointer, name), f"is no output; the outputs are {few(outputs)}")


def before_losses(program: Program, losses: Sequence[Loss]) -> Program:
    """The program without final activations that the losses apply by themselves."""
    makers = {stage.output: stage for stage in program.stages}
    read = {value for stage in program.stages for value in stage.inputs}
    outputs, dropped = [], set()
    for output, loss in zip(program.outputs, losses, strict=True):
        maker = makers[output]
        if not absorbed(maker, loss):
            outputs.append(output)
            continue
        outputs.append(maker.inputs[0])
        if output not in read:
            dropped.add(output)
    stages = tuple(stage for stage in program.stages if stage.output not in dropped)
    return Program(program.ports, stages, tuple(outputs))


def absorbed(stage: Stage, loss: Loss) -> bool:
    """Whether a stage is the final activation that a loss applies by itself, to the last axis."""
    last = getattr(stage.operation, "axis", -1) in (-1, len(stage.output_shape))
    return last and loss.absorbs is not None and plain_activation(stage.operation) == loss.absorbs


def plain_activation(operation: Operation) -> str | None:
    """The type of an operation that is an activation."""
    return operation.type_name if isinstance(operation, Activation) else None
