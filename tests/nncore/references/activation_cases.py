"""The activations' cases, each as a layer of its own, on numbers from -4 to 4."""

from __future__ import annotations

from tests.nncore.references.layer_cases import LayerCase
from tests.nncore.references.recorded import title

_DOCUMENTS = [
    "linear",
    "relu",
    {"type": "relu", "negative_slope": 0.1, "max_value": 1.5, "threshold": 0.5},
    {"type": "relu", "max_value": 2.5},
    {"type": "relu", "threshold": 1.0},
    "leaky_relu",
    {"type": "leaky_relu", "negative_slope": 0.3},
    {"type": "prelu"},
    {"type": "prelu", "shared_axes": [1]},
    "elu",
    {"type": "elu", "alpha": 0.6},
    "selu",
    "gelu",
    {"type": "gelu", "approximate": True},
    "silu",
    "softplus",
    "softsign",
    "sigmoid",
    "hard_sigmoid",
    "tanh",
    "softmax",
    {"type": "softmax", "axis": 1},
    {"type": "log_softmax", "axis": 1},
    "exponential",
    "relu6",
    "log_softmax",
    "sin",
    "binary",
    {"type": "binary", "estimator": "error_decay"},
    {"type": "adaptive"},
    {"type": "adaptive", "base": "sigmoid", "n": 3.0},
    {"type": "adaptive", "scope": "neuron", "n": 2.0},
    {"type": "adaptive", "rowdy_terms": 2},
    {"type": "adaptive", "scope": "neuron", "n": 2.0, "rowdy_terms": 3},
]


def _case(document):
    name = title(document).partition("(")[0]
    return name, LayerCase(({"type": "activation", "activation": document},), ((3, 4),), scale=8)


ACTIVATIONS = [_case(document) for document in _DOCUMENTS]
