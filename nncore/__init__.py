"""nncore: neural networks described by JSON documents, trained with NumPy alone.

network = Network.from_spec(spec)
params = network.init(seed=0)
for epoch in fit(network, params, x, y, {"loss": "cross_entropy"}):
    print(epoch.number, epoch.loss, epoch.metrics)
y = network.predict(params, x)
"""

from nncore.budgets import time_budget
from nncore.errors import ArchitectureError, ConfigError, DivergedError, DocumentError
from nncore.evaluation import evaluate
from nncore.network import Network
from nncore.nodes import Node
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
    "Step",
    "Trace",
    "Traced",
    "Training",
    "TrainingConfig",
    "TrainingState",
    "evaluate",
    "fit",
    "time_budget",
]
