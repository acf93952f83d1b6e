"""Worked example G12: every linear layer F and its backward pass are adjoint.

<F x, y> = <x, F^T y> for random x and y.
"""

from __future__ import annotations

import numpy as np
import pytest

from nncore import registry
from nncore.layers import Layer
from tests.nncore.references.layer_cases import GENERAL
from tests.nncore.references.recurrent_cases import SEQUENCES
from tests.nncore.references.replay import Replay
from tests.nncore.references.spatial_cases import CONVOLUTIONS, POOLINGS, SIZES

LINEAR = {
    "add", "average", "avg_pool1d", "avg_pool2d", "concatenate", "conv1d", "conv1d_transpose",
    "conv2d", "conv2d_transpose", "cropping1d", "cropping2d", "dense", "depthwise_conv2d",
    "flatten", "global_avg_pool1d", "global_avg_pool2d", "masking", "permute", "repeat_vector",
    "reshape", "separable_conv2d", "subtract", "time_distributed", "up_sampling1d",
    "up_sampling2d", "zero_padding1d", "zero_padding2d",
}  # fmt: skip
CASES = [
    case
    for case in (*GENERAL, *CONVOLUTIONS, *POOLINGS, *SIZES, *SEQUENCES)
    if all(layer["type"] in LINEAR & set(registry.units(Layer)) for layer in case.layers)
    and not any(set(layer) & {"activation"} for layer in case.layers)
    and all(layer.get("layer", {}).get("type", "dense") in LINEAR for layer in case.layers)
    and not any("activation" in layer.get("layer", {}) for layer in case.layers)
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_forward_and_backward_are_adjoint(case):
    layer, rng = Replay(case, "float64"), np.random.default_rng(0)
    for name, weight in layer.params.items():
        weight *= not name.endswith("bias")
    inputs = [x * rng.normal(size=x.shape) for x in layer.inputs]
    outputs = layer.forward(True, inputs)
    y = rng.normal(size=outputs.shape)
    back = layer.backward(y)
    products = [float((x * back[place]).sum()) for place, x in enumerate(inputs)]
    scale = np.abs(outputs * y).sum()
    assert abs(float((outputs * y).sum()) - sum(products)) <= 1e-12 * scale


def test_every_linear_layer_is_here():
    assert LINEAR & set(registry.units(Layer)) == {
        layer["type"] for case in CASES for layer in case.layers
    }
