"""What the first job of a process would load and compute, done once before children are forked.

A trainer that is started in the midst of work, since another one died or grew old, inherits it all.
"""

from __future__ import annotations

import numpy as np
from sqlalchemy.orm import configure_mappers

from nncore import Network, Training, TrainingConfig
from nncore.activations import Activation
from nncore.initializers import Initializer
from nncore.layers import Layer
from nncore.losses import Loss
from nncore.metrics import Metric
from nncore.optimizers import Optimizer
from nncore.preprocessing import TargetEncoder
from nncore.registry import units
from nncore.regularizers import Regularizer
from nncore.schedules import Schedule
from worker import fingerprint, memory

_KINDS = (Activation, Initializer, Layer, Loss, Metric, Optimizer, Regularizer, Schedule)
_NETWORK = {"input": {"shape": [2]}, "layers": [{"type": "dense", "units": 2}]}
_CONFIG = {"loss": "cross_entropy", "metrics": ["accuracy"], "epochs": 1, "batch_size": 2}


def warm_up() -> None:
    """Train a network of nothing; starts no thread, which would not live in a child."""
    configure_mappers()
    for kind in _KINDS:
        units(kind)  # loads them all
    fingerprint.take(shards=1)
    with memory.limited(2**30):
        labels = np.arange(2.0)
        encoder = TargetEncoder.fit("classes", labels, "number")
        examples = np.eye(2, dtype=np.float32), encoder.encode(labels)
        network, config = Network.from_spec(_NETWORK), TrainingConfig.parse(_CONFIG)
        training = Training(network, network.init(), *examples, config, validation=examples)
        for _ in training:
            pass
