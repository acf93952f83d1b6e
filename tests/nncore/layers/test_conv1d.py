"""Convolution along sequences, against its definition and its relatives."""

import numpy as np
import pytest

from nncore import ArchitectureError, Network
from tests.nncore.layers.one_layer import OneLayer

X = np.random.default_rng(1).normal(size=(3, 9, 4))


def test_it_computes_the_formula():
    layer = OneLayer("conv1d", [9, 4], filters=2, kernel_size=3, strides=2, dilation_rate=2)
    kernel, bias = layer.params["kernel"], layer.params["bias"]
    expected = [
        sum(X[:, 2 * o + 2 * i] @ kernel[i] for i in range(3)) + bias
        for o in range((9 - 5) // 2 + 1)
    ]
    assert np.allclose(layer.forward(X), np.stack(expected, axis=1), atol=1e-13)


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("dilation", [1, 3])
def test_causal_padding_never_sees_the_future(strides, dilation):
    layer = OneLayer(
        "conv1d",
        [9, 4],
        filters=2,
        kernel_size=3,
        padding="causal",
        strides=strides,
        dilation_rate=dilation,
    )
    before = layer.forward(X).copy()
    for now in range(9):
        changed = X.copy()
        changed[:, now:] += 1
        seen = -(-now // strides)
        assert np.array_equal(layer.forward(changed)[:, :seen], before[:, :seen])


def test_each_group_sees_its_own_channels():
    layer = OneLayer("conv1d", [9, 4], filters=4, kernel_size=3, groups=2)
    before = layer.forward(X).copy()
    changed = X.copy()
    changed[:, :, 2:] += 1
    after = layer.forward(changed)
    assert np.array_equal(after[:, :, :2], before[:, :, :2])
    assert not np.isclose(after[:, :, 2:], before[:, :, 2:]).any()


def test_a_kernel_as_long_as_the_sequence_is_a_dense_layer():
    layer = OneLayer("conv1d", [9, 4], filters=2, kernel_size=9)
    matrix = layer.params["kernel"].reshape(36, 2)
    expected = X.reshape(3, 36) @ matrix + layer.params["bias"]
    assert np.allclose(layer.forward(X)[:, 0], expected, atol=1e-13)


def test_a_kernel_of_one_step_is_a_dense_layer_at_each_step():
    layer = OneLayer("conv1d", [9, 4], filters=2, kernel_size=1)
    dense = OneLayer("dense", [9, 4], units=2)
    dense.params = {"kernel": layer.params["kernel"][0], "bias": layer.params["bias"]}
    assert np.allclose(layer.forward(X), dense.forward(X), atol=1e-13)
    dy = np.random.default_rng(2).normal(size=(3, 9, 2))
    (dx, gradients), (dense_dx, dense_gradients) = layer.backward(dy), dense.backward(dy)
    assert np.allclose(dx, dense_dx, atol=1e-13)
    assert np.allclose(gradients["kernel"][0], dense_gradients["kernel"], atol=1e-13)


def test_a_variable_length_stays_open():
    layers = [
        {"type": "conv1d", "filters": 2, "kernel_size": 3, "padding": "same", "strides": 2},
        {"type": "max_pool1d"},
        {"type": "global_avg_pool1d"},
    ]
    network = Network.from_spec({"input": {"shape": [None, 4]}, "layers": layers})
    assert [node.output_shape for node in network.nodes] == [(None, 2), (None, 2), (2,)]
    assert network.predict(network.init(), X).shape == (3, 2)


def test_an_image_is_no_sequence():
    with pytest.raises(ArchitectureError) as error:
        OneLayer("conv1d", [8, 8, 1], filters=2, kernel_size=3)
    assert "conv1d needs a sequence [steps, channels], got shape [8, 8, 1]" in str(error.value)


def test_a_kernel_longer_than_the_sequence_is_refused_with_its_mend():
    with pytest.raises(ArchitectureError) as error:
        OneLayer("conv1d", [4, 1], filters=2, kernel_size=3, dilation_rate=2)
    assert str(error.value) == (
        "layers[0].kernel_size: 5 is larger than the input's length 4; "
        'use padding "same" or a smaller kernel'
    )
