"""Layer, group and local response normalization against their formulas."""

import numpy as np
import pytest

from nncore import ArchitectureError
from nncore.layers import local_response_norm
from tests.nncore.layers.one_layer import OneLayer

X = np.random.default_rng(0).normal(size=(2, 3, 4, 6))


def normalized(x, axes):
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-3)


@pytest.mark.parametrize("axis", [-1, 1, [2, 3], [-1, 1]])
def test_layer_norm_normalizes_along_its_axes(axis):
    layer = OneLayer("layer_norm", [3, 4, 6], axis=axis)
    axes = tuple(sorted(a % 4 for a in np.ravel(axis)))
    shape = [X.shape[a] if a in axes else 1 for a in range(4)]
    gamma, beta = (layer.params[name].reshape(shape) for name in ("gamma", "beta"))
    assert np.allclose(layer.forward(X), gamma * normalized(X, axes) + beta, atol=1e-13)


@pytest.mark.parametrize(("groups", "each"), [(2, 3), (6, 1), (1, 6), (-1, 1)])
def test_group_norm_normalizes_each_group_of_channels(groups, each):
    layer = OneLayer("group_norm", [3, 4, 6], groups=groups)
    parts = normalized(X.reshape(2, 3, 4, 6 // each, each), (1, 2, 4)).reshape(X.shape)
    expected = layer.params["gamma"] * parts + layer.params["beta"]
    assert np.allclose(layer.forward(X), expected, atol=1e-13)


@pytest.mark.parametrize("widest_band", [0, 1024])
def test_local_response_norm_divides_by_its_neighbours(widest_band, monkeypatch):
    monkeypatch.setattr(local_response_norm, "_WIDEST_BAND", widest_band)
    layer = OneLayer("local_response_norm", [3, 4, 6], depth_radius=2, bias=2, alpha=0.3, beta=0.75)
    for channel in range(6):
        near = X[..., max(channel - 2, 0) : channel + 3]
        expected = X[..., channel] / (2 + 0.3 * (near**2).sum(axis=-1)) ** 0.75
        assert np.allclose(layer.forward(X)[..., channel], expected, atol=1e-13)


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("group_norm", {}, "layers[0].groups: 32 does not divide the input's channels 6"),
        ("group_norm", {"groups": 0}, "layers[0].groups: 0 does not divide"),
        ("layer_norm", {"axis": 4}, "layers[0].axis: 4 is no axis of the input's shape"),
        ("layer_norm", {"axis": [3, -1]}, "layers[0].axis: needs one axis or several that differ"),
        ("layer_norm", {"axis": []}, "layers[0].axis: needs one axis or several that differ"),
        ("local_response_norm", {"bias": 0}, "layers[0].bias: must be above 0, got 0"),
    ],
)
def test_impossible_fields_are_refused(kind, fields, words):
    with pytest.raises(ArchitectureError) as error:
        OneLayer(kind, [3, 4, 6], **fields)
    assert str(error.value).startswith(words)
