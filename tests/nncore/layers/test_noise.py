"""Noise of the layers that add it in training: how much, and where it is the same."""

import numpy as np
import pytest

from tests.nncore.layers.one_layer import OneLayer

X = np.ones((50, 40, 20), "float32")


def test_gaussian_noise_has_its_deviation():
    noise = OneLayer("gaussian_noise", [40, 20], stddev=0.5).forward(X, training=True) - X
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.std() == pytest.approx(0.5, rel=0.01)
    # A fifth of a normal variable lies within a quarter of its deviation.
    assert np.mean(np.abs(noise) < 0.125) == pytest.approx(0.1974, abs=0.005)


def test_gaussian_dropout_has_the_variance_of_dropout():
    y = OneLayer("gaussian_dropout", [40, 20], rate=0.2).forward(X, training=True)
    assert y.mean() == pytest.approx(1, abs=0.01)
    assert y.var() == pytest.approx(0.25, rel=0.02)


@pytest.mark.parametrize(("kind", "shape"), [("1d", [40, 20]), ("2d", [8, 5, 20])])
def test_spatial_dropout_drops_whole_channels(kind, shape):
    x = X.reshape(50, *shape)
    y = OneLayer(f"spatial_dropout{kind}", shape, rate=0.25).forward(x, training=True)
    channels = y.reshape(50, 40, 20)
    assert np.array_equal(channels, np.broadcast_to(channels[:, :1], channels.shape))
    assert np.unique(channels) == pytest.approx([0, 4 / 3])
    assert np.mean(channels == 0) == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("gaussian_noise", {"stddev": 1}),
        ("gaussian_dropout", {"rate": 0.5}),
        ("spatial_dropout1d", {"rate": 0.5}),
    ],
)
def test_predictions_are_free_of_noise(kind, fields):
    assert np.array_equal(OneLayer(kind, [40, 20], **fields).forward(X), X)
