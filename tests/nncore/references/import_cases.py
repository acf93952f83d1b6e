"""What the imported models read, for generator and tests; and PyTorch's models in our words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.nncore.references.filling import numbers, tokens

LENGTHS = (6, 2, 4)

Inputs = dict[str, NDArray[Any]]

_DENSE = {"type": "dense", "units": 5, "activation": "tanh"}
TORCH_SPECS: dict[str, Any] = {
    "mlp": {"input": {"shape": [6]}, "layers": [*[_DENSE] * 6, {"type": "dense", "units": 3}]},
    "cnn": {
        "input": {"shape": [8, 7, 2]},
        "layers": [
            {
                "type": "conv2d",
                "filters": 4,
                "kernel_size": 3,
                "padding": "same",
                "use_bias": False,
            },
            {"type": "batch_norm", "epsilon": 1e-5},
            {"type": "activation", "activation": "relu"},
            {"type": "max_pool2d"},
            {
                "type": "conv2d",
                "filters": 6,
                "kernel_size": 2,
                "groups": 2,
                "activation": "tanh",
            },
            {"type": "conv2d_transpose", "filters": 3, "kernel_size": 2, "strides": 2},
            {"type": "flatten"},
            {"type": "batch_norm", "epsilon": 1e-5},
            {"type": "dense", "units": 5, "activation": "relu"},
            {"type": "dense", "units": 3},
        ],
    },
    **{
        kind: {
            "input": {"shape": [5, 3]},
            "layers": [
                {"type": kind, "units": 4, "return_sequences": True},
                {"type": kind, "units": 4},
                {"type": "dense", "units": 2},
            ],
        }
        for kind in ("lstm", "gru")
    },
    "text": {
        "input": {"shape": [None]},
        "layers": [
            {"type": "embedding", "input_dim": 9, "output_dim": 4},
            {
                "type": "bidirectional",
                "layer": {"type": "lstm", "units": 3, "return_sequences": True},
            },
            {"type": "layer_norm", "epsilon": 1e-5},
            {"type": "global_avg_pool1d"},
            {"type": "dense", "units": 1, "activation": "sigmoid"},
        ],
    },
    "frames": {
        "input": {"shape": [4, 4, 3, 1]},
        "layers": [
            {
                "type": "time_distributed",
                "layer": {"type": "conv2d", "filters": 2, "kernel_size": 2},
            },
            {"type": "time_distributed", "layer": {"type": "flatten"}},
            {"type": "simple_rnn", "units": 3, "return_sequences": True},
            {"type": "conv1d", "filters": 2, "kernel_size": 2},
            {"type": "flatten"},
            {"type": "dense", "units": 2},
        ],
    },
    "graph": {
        "inputs": {"left": {"shape": [4]}, "right": {"shape": [4]}},
        "layers": [
            {"type": "dense", "name": "tower", "units": 4, "inputs": ["left"]},
            {
                "type": "activation",
                "name": "slope",
                "activation": {"type": "prelu", "shared_axes": [1]},
            },
            {"type": "add", "name": "residual", "inputs": ["slope", "left"]},
            {"name": "twin", "shares": "tower", "inputs": ["right"]},
            {"name": "twin_slope", "shares": "slope", "inputs": ["twin"]},
            {"type": "concatenate", "name": "both", "inputs": ["residual", "twin_slope"]},
            {"type": "dense", "name": "digit", "units": 3, "inputs": ["both"]},
            {"type": "dense", "name": "ink", "units": 1, "inputs": ["both"]},
        ],
        "outputs": ["digit", "ink"],
    },
}
MAPPINGS: dict[str, dict[str, str]] = {
    "cnn": {
        "conv2d_1": "conv1",
        "batch_norm_1": "norm1",
        "conv2d_2": "conv2",
        "conv2d_transpose_1": "up",
        "batch_norm_2": "norm2",
        "dense_1": "fc1",
        "dense_2": "fc2",
    },
    "lstm": {"lstm_1": "cell", "lstm_2": "cell.l1", "dense_1": "out"},
    "gru": {"gru_1": "cell", "gru_2": "cell.l1", "dense_1": "out"},
    "text": {
        "embedding_1": "embedding",
        "bidirectional_1": "lstm",
        "layer_norm_1": "norm",
        "dense_1": "out",
    },
    "frames": {
        "time_distributed_1": "conv",
        "simple_rnn_1": "rnn",
        "conv1d_1": "conv1",
        "dense_1": "out",
    },
}


def inputs(name: str) -> Inputs:
    """Examples for each input of a model, in order; images with their channels last."""
    if name == "graph":
        return {"left": numbers([4], 0), "right": numbers([4], 1)}
    if name == "text":
        return {"ids": tokens([6], 9, LENGTHS)}
    shapes = {
        "mlp": [6],
        "cnn": [8, 7, 2],
        "lstm": [5, 3],
        "gru": [5, 3],
        "frames": [4, 4, 3, 1],
    }
    lengths = (5, 2, 4) if name == "lstm" else ()
    return {"input": numbers(shapes[name], 0, lengths)}


def variable(path: str, shape: tuple[int, ...], place: int) -> NDArray[np.float32]:
    """A weight of a model, float32."""
    values = np.random.default_rng(place).normal(0, 0.5, shape).astype(np.float32)
    return np.abs(values) + 1 if "var" in path else values
