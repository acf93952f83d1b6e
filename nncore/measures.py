"""What a run is measured by: the losses and metrics of a configuration, or those that suit."""

from __future__ import annotations

from nncore.arrays import AnyArray
from nncore.errors import ConfigError, DocumentError
from nncore.evaluation import Metrics, metrics_of
from nncore.examples import Named, by_name
from nncore.losses import Loss
from nncore.losses.binary_cross_entropy import BinaryCrossEntropy
from nncore.losses.cross_entropy import CrossEntropy
from nncore.losses.mean_squared_error import MeanSquaredError
from nncore.network import Network
from nncore.objective import Objective, objective
from nncore.shapes import Shape
from nncore.training_config import TrainingConfig


def measures(network: Network, config: TrainingConfig, y: Named) -> tuple[Objective, Metrics]:
    """The objective and each output's metrics. Raises ConfigError."""
    outputs = network.wiring.outputs
    loss = config.loss
    if loss is None:
        losses = suited_losses(network, y)
        loss = losses if len(outputs) > 1 else next(iter(losses.values()))
    try:
        return objective(loss, outputs, config.loss_weights), metrics_of(config.metrics, outputs)
    except DocumentError as error:
        raise ConfigError(error.pointer, error.detail) from None


def suited_losses(network: Network, y: Named) -> dict[str, Loss]:
    """The loss that each output's final activation and targets (N, ...) suggest."""
    targets = by_name("y", y, network.wiring.outputs)
    return {
        name: _suited(shape, activation, wanted)
        for (name, shape), activation, wanted in zip(
            network.output_shapes.items(),
            network.final_activations.values(),
            targets,
            strict=True,
        )
    }


def _suited(shape: Shape, activation: str, y: AnyArray) -> Loss:
    if activation == "softmax":
        return CrossEntropy()
    if activation == "sigmoid":
        return BinaryCrossEntropy()
    classes = y.dtype.kind in "iu" and y.ndim == len(shape)
    return CrossEntropy() if classes and shape[-1] != 1 else MeanSquaredError()
