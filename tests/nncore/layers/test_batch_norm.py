"""Batch normalization: worked statistics, evaluation, masks, shards."""

import numpy as np
import pytest

from nncore import ArchitectureError, Network
from tests.nncore.layers.one_layer import OneLayer

X = np.array([[1.0, 10], [3, 10], [5, 40], [7, 20]])


def batch_norm(shape=(2,), **fields):
    layer = OneLayer("batch_norm", list(shape), **fields)
    for name, value in (("gamma", 2), ("beta", -1), ("moving_mean", 3), ("moving_variance", 9)):
        if name in layer.params:
            layer.params[name] = np.full(shape[-1], float(value))
    return layer


def test_training_uses_the_batch_and_moves_the_averages():
    layer = batch_norm(momentum=0.75, epsilon=0)
    y = layer.forward(X, training=True)
    assert np.allclose(y[:, 0], 2 * np.array([-3, -1, 1, 3]) / np.sqrt(5) - 1, atol=1e-14)
    assert np.allclose(y[:, 1], 2 * np.array([-10, -10, 20, 0]) / np.sqrt(150) - 1, atol=1e-14)
    assert np.allclose(layer.renewed("moving_mean"), [0.75 * 3 + 1, 0.75 * 3 + 5])
    assert np.allclose(layer.renewed("moving_variance"), [6.75 + 1.25, 6.75 + 37.5])


@pytest.mark.parametrize("training", [False, True])
def test_evaluation_and_a_frozen_layer_use_the_averages(training):
    layer = batch_norm(trainable=not training)
    y = layer.forward(X, training=training)
    assert np.allclose(y, 2 * (X - 3) / np.sqrt(9.001) - 1, atol=1e-14)
    assert not layer.run.renewed
    dx, gradients = layer.backward(np.ones_like(X))
    assert np.allclose(dx, 2 / np.sqrt(9.001), atol=1e-14)
    assert np.allclose(gradients["gamma"], (X - 3).sum(axis=0) / np.sqrt(9.001))


def test_padding_takes_no_part_in_the_statistics():
    rng, mask = np.random.default_rng(0), np.array([[True] * 3, [True, False, False]])
    x, dy = rng.normal(size=(2, 3, 2)), rng.normal(size=(2, 3, 2))
    dy[~mask] = 0
    masked, true = batch_norm((3, 2)), batch_norm((2,))
    x[~mask] = 1e6
    y = masked.forward(x, training=True, mask=mask)
    assert np.allclose(y[mask], true.forward(x[mask], training=True), atol=1e-12)
    for name in ("moving_mean", "moving_variance"):
        assert np.allclose(masked.renewed(name), true.renewed(name), rtol=1e-14)
    (dx, gradients), (true_dx, expected) = masked.backward(dy), true.backward(dy[mask])
    assert np.allclose(dx[mask], true_dx, atol=1e-12)
    assert not dx[~mask].any()
    for name in ("gamma", "beta"):
        assert np.allclose(gradients[name], expected[name], atol=1e-12)


def test_an_axis_in_the_middle_is_a_transposed_last_axis():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    middle, last = OneLayer("batch_norm", [3, 4], axis=1), OneLayer("batch_norm", [4, 3])
    middle.params = last.params
    turned = last.forward(x.swapaxes(1, 2), training=True)
    assert np.allclose(middle.forward(x, training=True), turned.swapaxes(1, 2), atol=1e-14)


def test_the_number_of_shards_changes_nothing():
    layers = [{"type": "dense", "units": 3}, {"type": "batch_norm"}, {"type": "dense", "units": 1}]
    network = Network.from_spec({"input": {"shape": [2]}, "layers": layers})
    params, y = network.init(0, "float64"), np.ones((4, 1))
    loss, gradients = network.loss_and_grads(params, X, y)
    sharded_loss, sharded = network.loss_and_grads(params, X, y, shards=3)
    assert sharded_loss == pytest.approx(loss, rel=1e-13)
    for name, gradient in gradients.items():
        assert np.allclose(sharded[name], gradient, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(
    ("shape", "axis", "words"),
    [
        ([3, 2], 0, "layers[0].axis: 0 is no axis of the input's shape [3, 2]"),
        ([3, 2], 3, "layers[0].axis: 3 is no axis of the input's shape [3, 2]"),
        ([None, 2], 1, "layers[0].axis: batch_norm needs an axis of known size, got null"),
    ],
)
def test_an_impossible_axis_is_refused(shape, axis, words):
    with pytest.raises(ArchitectureError) as error:
        OneLayer("batch_norm", shape, axis=axis)
    assert str(error.value).startswith(words)
