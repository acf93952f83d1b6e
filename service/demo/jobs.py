"""The two jobs of the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DIGITS = Path(__file__).with_name("digits.csv")


def digits(dataset_id: str) -> dict[str, Any]:
    """A LeNet-like convolutional network (LeCun et al. 1998) on 8x8 digits."""
    return {
        "name": "digits",
        "dataset_id": dataset_id,
        "target": "label",
        "task": "classification",
        "features": {"scale": "min_max"},
        "network": {
            "input": {"shape": [8, 8, 1]},
            "layers": [
                {
                    "type": "conv2d",
                    "filters": 8,
                    "kernel_size": 3,
                    "padding": "same",
                    "activation": "relu",
                },
                {"type": "max_pool2d", "pool_size": 2},
                {
                    "type": "conv2d",
                    "filters": 16,
                    "kernel_size": 3,
                    "padding": "same",
                    "activation": "relu",
                },
                {"type": "max_pool2d", "pool_size": 2},
                {"type": "flatten"},
                {"type": "dense", "units": 32, "activation": "relu"},
                {"type": "dense", "units": 10},
            ],
        },
        "optimizer": {"type": "adam", "learning_rate": 0.003},
        "epochs": 20,
        "batch_size": 32,
        "validation": {"fraction": 0.1},
        "test": {"fraction": 0.2},
        "tags": {"demo": "digits"},
    }


XOR_ROWS = [{"a": a, "b": b, "xor": a ^ b} for a in (0, 1) for b in (0, 1)]


def xor(dataset_id: str) -> dict[str, Any]:
    """The 2-3-1 network that learns exclusive or (Rumelhart, Hinton and Williams 1986)."""
    return {
        "name": "xor",
        "dataset_id": dataset_id,
        "target": "xor",
        "network": {
            "layers": [
                {"type": "dense", "units": 3, "activation": "tanh"},
                {"type": "dense", "units": 1, "activation": "sigmoid"},
            ]
        },
        "optimizer": {"type": "sgd", "learning_rate": 1.0},
        "epochs": 500,
        "batch_size": 4,
        "metrics": ["accuracy"],
        "tags": {"demo": "xor"},
    }
