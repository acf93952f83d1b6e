"""nncore: neural networks described by JSON documents, trained with NumPy alone.

network = Network.from_spec(spec)
params = network.init(seed=0)
for epoch in fit(network, params, x, y, {"loss": "cross_entropy"}):
    print(epoch.number, epoch.loss, epoch.metrics)
y = network.predict(params, x)
"""

from typing import TYPE_CHECKING, Any

from nncore.budgets import time_budget
from nncore.errors import (
    ArchitectureError,
    ConfigError,
    DivergedError,
    DocumentError,
    StateError,
)
from nncore.evaluation import evaluate
from nncore.network import Network
from nncore.nodes import Node
from nncore.reports import Epoch, Step
from nncore.trace import Trace, Traced
from nncore.training import Training, fit
from nncore.training_config import TrainingConfig
from nncore.training_state import TrainingState

if TYPE_CHECKING:
    from nncore.importing import from_keras_json, weights_from_keras, weights_from_torch
    from nncore.onnx.export import to_onnx

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

# Few programs need these, and they would take a fifth of the time that importing nncore takes.
_IMPORTED_ON_DEMAND = {
    "from_keras_json": "nncore.importing",
    "to_onnx": "nncore.onnx.export",
    "weights_from_keras": "nncore.importing",
    "weights_from_torch": "nncore.importing",
}


def __getattr__(name: str) -> Any:
    if name not in _IMPORTED_ON_DEMAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_IMPORTED_ON_DEMAND[name]), name)
