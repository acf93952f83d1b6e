"""Layers against Keras 3 and PyTorch: outputs, every gradient, what a pass renews."""

from __future__ import annotations

import numpy as np
import pytest

from nncore import registry
from nncore.gradient_check import relative_error
from nncore.layers import Layer
from tests.nncore.references.layer_cases import GENERAL
from tests.nncore.references.recorded import load
from tests.nncore.references.recurrent_cases import SEQUENCES
from tests.nncore.references.replay import Replay
from tests.nncore.references.spatial_cases import CONVOLUTIONS, POOLINGS, SIZES

CASES = [*GENERAL, *CONVOLUTIONS, *POOLINGS, *SIZES, *SEQUENCES]
RECORDED = load("layers") | load("spatial") | load("recurrent")
WITHIN = {"float64": 1e-9, "float32": 2e-5}

UNRECORDED = {
    "dropout": "random; the scaling and the rate are proven beside the layer",
    "spatial_dropout1d": "random",
    "spatial_dropout2d": "random",
    "gaussian_noise": "random",
    "gaussian_dropout": "random",
}
CONTRACT = {
    "dense", "conv1d", "conv2d", "conv1d_transpose", "conv2d_transpose", "depthwise_conv2d",
    "max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d", "global_max_pool1d",
    "global_max_pool2d", "global_avg_pool1d", "global_avg_pool2d", "up_sampling1d",
    "up_sampling2d", "zero_padding1d", "zero_padding2d", "cropping1d", "cropping2d", "flatten",
    "reshape", "permute", "repeat_vector", "dropout", "spatial_dropout1d", "spatial_dropout2d",
    "gaussian_noise", "batch_norm", "layer_norm", "local_response_norm", "embedding",
    "simple_rnn", "lstm", "gru", "bidirectional", "time_distributed", "masking", "activation",
    "add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot",
}  # fmt: skip


def types(case):
    found = {layer["type"] for layer in case.layers}
    return found | {layer["layer"]["type"] for layer in case.layers if "layer" in layer}


COLLECTED = [case for case in CASES if types(case) <= set(registry.units(Layer))]


def true_part(values, case):
    """Without the steps that are padding, where a sequence's output may be anything."""
    if not case.lengths or values.ndim < 3:
        return values
    return np.concatenate([values[n, :length] for n, length in enumerate(case.lengths)])


@pytest.mark.parametrize("dtype", WITHIN)
@pytest.mark.parametrize("case", COLLECTED, ids=lambda case: case.name)
def test_a_layer_is_what_keras_says(case, dtype):
    found, expected = Replay(case, dtype).quantities(), dict(RECORDED[case.name])
    expected.setdefault("evaluated", expected["y"])
    assert set(found) == set(expected)
    for name, wanted in expected.items():
        value = found[name]
        assert value.shape == wanted.shape, name
        if name in ("y", "evaluated"):
            value, wanted = true_part(value, case), true_part(wanted, case)
        assert relative_error(value, wanted) < WITHIN[dtype], name


def test_every_case_is_recorded():
    assert {case.name for case in CASES} == set(RECORDED)


def test_every_layer_is_recorded_or_says_why_not():
    covered = set().union(*map(types, CASES))
    assert set(registry.units(Layer)) <= covered | set(UNRECORDED)


def test_every_layer_that_is_promised_is_there():
    assert set(registry.units(Layer)) >= CONTRACT
