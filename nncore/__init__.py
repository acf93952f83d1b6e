"""nncore: neural networks described by JSON documents, trained with NumPy alone.

network = Network.from_spec(spec)
params = network.init(seed=0)
for epoch in fit(network, params, x, y, {"loss": "cross_entropy"}):
    print(epoch.number, epoch.loss, epoch.metrics)
y = network.predict(params, x)
"""

from nncore.budgets import time_budget
from nncore.errors import (
    ArchitectureError,
    ConfigError,
    DivergedError,
    DocumentError,
    StateError,
)
from nncore.evaluation import evaluate
from nncore.importing import from_keras_json, weights_from_keras, weights_from_torch
from nncore.network import Network
from nncore.nodes import Node
from nncore.onnx.export import to_onnx
from nncore.reports import Epoch, Step
from nncore.trace import Trace, Traced
from nncore.training import Training, fit
from nncore.training_config import TrainingConfig
from nncore.training_state import TrainingState

__all__ = [
    "ArchitectureError",
    "ConfigError",
    "DivergedError",
    "DocumentError",
    "Epoch",
    "Network",
    "Node",
    "StateError",
    "Step",
    "Trace",
    "Traced",
    "Training",
    "TrainingConfig",
    "TrainingState",
    "evaluate",
    "fit",
    "from_keras_json",
    "time_budget",
    "to_onnx",
    "weights_from_keras",
    "weights_from_torch",
]
