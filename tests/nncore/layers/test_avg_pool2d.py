"""Average pooling: worked numbers and edges."""

import numpy as np

from tests.nncore.layers.one_layer import OneLayer


def test_worked_example_g6():
    a = np.random.RandomState(1).randn(2, 4, 4, 3)
    y = OneLayer("avg_pool2d", [4, 4, 3], pool_size=3, strides=2).forward(a)
    expected = [
        0.0210577272,
        -0.2032880555,
        -0.4038985516,
        -0.2215462141,
        0.5171652567,
        0.4815584414,
    ]
    np.testing.assert_allclose(y.ravel(), expected, rtol=0, atol=1e-10)


def test_edges_average_over_the_image_alone():
    x = np.arange(1.0, 10).reshape(1, 3, 3, 1)
    y = OneLayer("avg_pool2d", [3, 3, 1], padding="same").forward(x)
    assert np.array_equal(y.ravel(), [3, 4.5, 7.5, 9])


def test_a_sequence_has_edges_too():
    x = np.array([1.0, 2, 3, 4, 5]).reshape(1, 5, 1)
    layer = OneLayer("avg_pool1d", [5, 1], pool_size=3, strides=2, padding="same")
    assert np.array_equal(layer.forward(x).ravel(), [1.5, 3, 4.5])
    dx, _ = layer.backward(np.array([2.0, 3, 4]).reshape(1, 3, 1))
    assert np.array_equal(dx.ravel(), [1, 2, 1, 3, 2])


def test_minima_are_maxima_of_the_negative():
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 3))
    fields = {"pool_size": 3, "strides": 2, "padding": "same"}
    least = OneLayer("min_pool2d", [5, 4, 3], **fields).forward(x)
    assert np.array_equal(least, -OneLayer("max_pool2d", [5, 4, 3], **fields).forward(-x))
