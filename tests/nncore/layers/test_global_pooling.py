"""Global poolings of sequences whose ends are padding."""

import numpy as np
import pytest

from tests.nncore.layers.one_layer import OneLayer

MASK = np.array([[True, True, False, False], [True] * 4, [False, True, True, False]])
X = np.random.default_rng(0).normal(size=(3, 4, 2)) - 5


@pytest.mark.parametrize("kind", ["global_avg_pool1d", "global_max_pool1d"])
def test_padding_changes_neither_output_nor_gradient(kind):
    layer, short = OneLayer(kind, [4, 2]), OneLayer(kind, [2, 2])
    x = X.copy()
    x[~MASK] = 100
    y, dy = layer.forward(x, mask=MASK), np.array([[1.0, 2]] * 3)
    dx, _ = layer.backward(dy)
    assert np.allclose(y[:1], short.forward(X[:1, :2]), atol=1e-14)
    assert np.allclose(dx[:1, :2], short.backward(dy[:1])[0], atol=1e-14)
    assert not dx[~MASK].any()


@pytest.mark.parametrize("kind", ["global_avg_pool1d", "global_max_pool1d"])
def test_an_example_of_padding_alone_gives_zeros(kind):
    layer = OneLayer(kind, [4, 2])
    assert not layer.forward(X, mask=np.zeros((3, 4), bool)).any()
    assert not layer.backward(np.ones((3, 2)))[0].any()


def test_the_first_of_equal_maxima_gets_the_gradient():
    layer = OneLayer("global_max_pool2d", [2, 2, 1], keepdims=True)
    assert layer.forward(np.ones((1, 2, 2, 1))).shape == (1, 1, 1, 1)
    dx, _ = layer.backward(np.full((1, 1, 1, 1), 3))
    assert np.array_equal(dx.ravel(), [3, 0, 0, 0])
