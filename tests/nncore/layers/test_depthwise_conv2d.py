"""Depthwise and separable convolution as the grouped and pointwise convolutions that they are."""

import numpy as np
import pytest

from nncore import depthwise
from tests.nncore.layers.one_layer import OneLayer

X = np.random.default_rng(1).normal(size=(5, 6, 7, 3))
FIELDS = {"kernel_size": [3, 2], "strides": 2, "padding": "same"}


@pytest.mark.parametrize("tile_bytes", [1, 1 << 18])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_it_is_a_convolution_with_a_group_for_each_channel(multiplier, tile_bytes, monkeypatch):
    monkeypatch.setattr(depthwise, "_TILE_BYTES", tile_bytes)
    layer = OneLayer("depthwise_conv2d", [6, 7, 3], depth_multiplier=multiplier, **FIELDS)
    grouped = OneLayer("conv2d", [6, 7, 3], filters=3 * multiplier, groups=3, **FIELDS)
    kernel = layer.params["kernel"].reshape(3, 2, 1, 3 * multiplier)
    grouped.params = {"kernel": kernel, "bias": layer.params["bias"]}
    y = layer.forward(X)
    assert np.allclose(y, grouped.forward(X), atol=1e-13)
    dy = np.random.default_rng(2).normal(size=y.shape)
    (dx, gradients), (grouped_dx, expected) = layer.backward(dy), grouped.backward(dy)
    assert np.allclose(dx, grouped_dx, atol=1e-12)
    assert np.allclose(gradients["kernel"].reshape(kernel.shape), expected["kernel"], atol=1e-12)
    assert np.allclose(gradients["bias"], expected["bias"], atol=1e-12)


def test_separable_is_depthwise_then_pointwise():
    layer = OneLayer("separable_conv2d", [6, 7, 3], filters=4, depth_multiplier=2, **FIELDS)
    first = OneLayer("depthwise_conv2d", [6, 7, 3], depth_multiplier=2, use_bias=False, **FIELDS)
    second = OneLayer("conv2d", [3, 4, 6], filters=4, kernel_size=1)
    first.params = {"kernel": layer.params["depthwise_kernel"]}
    second.params = {"kernel": layer.params["pointwise_kernel"], "bias": layer.params["bias"]}
    assert np.allclose(layer.forward(X), second.forward(first.forward(X)), atol=1e-12)
