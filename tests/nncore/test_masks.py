"""Padding changes no output, no loss and no gradient; masks follow the data to where it ends."""

from __future__ import annotations

import numpy as np
import pytest

from nncore import Network, evaluate, fit
from nncore.gradient_check import check_gradients

IDS = np.array([[3, 1, 4, 1], [5, 2, 0, 0], [6, 0, 0, 0]])
LENGTHS = [4, 2, 1]
EMBEDDING = {"type": "embedding", "name": "e", "input_dim": 8, "output_dim": 3, "mask_zero": True}
GRU = {"type": "gru", "name": "g", "units": 3, "return_sequences": True}
DENSE = {"type": "dense", "units": 2}
GROUPED = {
    "input": {"shape": [None]},
    "layers": [EMBEDDING, GRU, {"type": "group_norm", "groups": 3}, DENSE],
}
TAGGER = {"input": {"shape": [None]}, "layers": [EMBEDDING, GRU, {"type": "dense", "units": 2}]}
RESIDUAL = {
    "input": {"shape": [None]},
    "layers": [
        EMBEDDING,
        GRU,
        {"type": "add", "inputs": ["e", "g"]},
        {"type": "dropout", "rate": 0},
        {"type": "layer_norm"},
        {"type": "dense", "units": 2},
    ],
}
READER = {"input": {"shape": [None]}, "layers": [EMBEDDING, {"type": "gru", "units": 2}]}


def network_of(spec):
    network = Network.from_spec(spec)
    return network, network.init(2, "float64")


@pytest.mark.parametrize("spec", [TAGGER, RESIDUAL, GROUPED, READER])
def test_more_padding_changes_no_output(spec):
    network, params = network_of(spec)
    found = network.predict(params, IDS)
    wider = network.predict(params, np.pad(IDS, ((0, 0), (0, 3))))
    for row, length in enumerate(LENGTHS):
        alone = network.predict(params, IDS[row : row + 1, :length])[0]
        parts = (found[row], wider[row], alone)
        if spec is not READER:
            parts = tuple(part[:length] for part in parts)
        assert np.allclose(parts[0], parts[1], rtol=0, atol=1e-15)
        assert np.allclose(parts[0], parts[2], rtol=0, atol=1e-15)


@pytest.mark.parametrize("spec", [TAGGER, RESIDUAL, GROUPED])
@pytest.mark.parametrize("loss", ["cross_entropy", "mean_squared_error"])
def test_the_loss_is_the_mean_over_positions_that_hold_data(spec, loss):
    network, params = network_of(spec)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, (3, 4)) if loss == "cross_entropy" else rng.normal(size=(3, 4, 2))
    value, gradients = network.loss_and_grads(params, IDS, y, loss)
    total, sums = 0.0, {name: np.zeros_like(weight) for name, weight in params.items()}
    for row, length in enumerate(LENGTHS):
        part = slice(row, row + 1)
        alone, slopes = network.loss_and_grads(params, IDS[part, :length], y[part, :length], loss)
        total += alone * length
        for name, slope in slopes.items():
            sums[name] += slope * length
    assert value == pytest.approx(total / sum(LENGTHS), rel=1e-12)
    for name, gradient in gradients.items():
        assert np.allclose(gradient, sums[name] / sum(LENGTHS), atol=1e-14), name


@pytest.mark.parametrize("spec", [TAGGER, RESIDUAL])
def test_what_stands_at_padding_does_not_matter(spec):
    network, params = network_of(spec)
    y = np.random.default_rng(0).integers(0, 2, (3, 4))
    other = np.where(IDS == 0, 1 - y, y)
    one = network.loss_and_grads(params, IDS, y, "cross_entropy")
    two = network.loss_and_grads(params, IDS, other, "cross_entropy")
    assert one[0] == two[0]
    assert all(np.array_equal(one[1][name], two[1][name]) for name in params)
    scores = [evaluate(network, params, IDS, t, "cross_entropy", ["accuracy"]) for t in (y, other)]
    assert scores[0] == scores[1]


@pytest.mark.parametrize("shards", [2, 3])
def test_shards_of_different_lengths_share_one_mean(shards):
    network, params = network_of(TAGGER)
    y = np.random.default_rng(0).integers(0, 2, (3, 4))
    loss, gradients = network.loss_and_grads(params, IDS, y, "cross_entropy")
    found, others = network.loss_and_grads(params, IDS, y, "cross_entropy", shards=shards)
    assert found == pytest.approx(loss, rel=1e-13)
    assert all(np.allclose(others[name], gradients[name], atol=1e-15) for name in params)


def test_the_batch_size_of_an_evaluation_does_not_matter():
    network, params = network_of(TAGGER)
    y = np.random.default_rng(0).integers(0, 2, (3, 4))
    found = [
        evaluate(network, params, IDS, y, "cross_entropy", ["accuracy"], size) for size in (1, 2, 3)
    ]
    assert found[0]["accuracy"] == found[1]["accuracy"] == found[2]["accuracy"]
    assert found[0]["loss"] == pytest.approx(found[2]["loss"], rel=1e-14)


def test_a_position_is_padding_where_one_of_the_joined_inputs_says_so():
    spec = {
        "inputs": {"a": {"shape": [None]}, "b": {"shape": [None]}},
        "layers": [
            {**EMBEDDING, "name": "x", "inputs": ["a"]},
            {**EMBEDDING, "name": "y", "inputs": ["b"]},
            {"type": "multiply", "name": "xy", "inputs": ["x", "y"]},
            {"type": "gru", "units": 2},
        ],
    }
    network, params = network_of(spec)
    longer = np.where(IDS == 0, 7, IDS)
    mixed = network.predict(params, {"a": IDS, "b": longer})
    for row, length in enumerate(LENGTHS):
        part = {"a": IDS[row : row + 1, :length], "b": IDS[row : row + 1, :length]}
        assert np.allclose(mixed[row], network.predict(params, part)[0], atol=1e-15)


def test_sequences_joined_in_time_keep_their_own_padding():
    spec = {
        "input": {"shape": [None]},
        "layers": [
            EMBEDDING,
            {"type": "concatenate", "axis": 1, "inputs": ["e", "e"]},
            {"type": "gru", "units": 2},
        ],
    }
    network, params = network_of(spec)
    found = network.predict(params, IDS)
    for row, length in enumerate(LENGTHS):
        alone = network.predict(params, IDS[row : row + 1, :length])[0]
        assert np.allclose(found[row], alone, atol=1e-15)


def test_a_batch_of_padding_alone_has_no_loss():
    network, params = network_of(TAGGER)
    loss, gradients = network.loss_and_grads(
        params, np.zeros((2, 3), int), np.zeros((2, 3), int), "cross_entropy"
    )
    assert loss == 0
    assert not any(gradient.any() for gradient in gradients.values())


def test_training_with_padding_is_training_without():
    network, params = network_of(TAGGER)
    other = {name: weight.copy() for name, weight in params.items()}
    y = np.random.default_rng(0).integers(0, 2, (3, 4))
    config = {"loss": "cross_entropy", "epochs": 3, "batch_size": 2, "metrics": ["accuracy"]}
    one = list(fit(network, params, IDS, y, config))
    padded = np.pad(IDS, ((0, 0), (0, 2))), np.pad(y, ((0, 0), (0, 2)))
    two = list(fit(network, other, *padded, config))
    assert [e.metrics for e in one] == [e.metrics for e in two]
    assert all(np.allclose(params[name], other[name], atol=1e-14) for name in params)


@pytest.mark.parametrize("axis", [-1, 1, 2])
@pytest.mark.parametrize("shape", [(3, 4), (3, 2, 2)])
def test_batch_norm_counts_data_alone_along_any_axis(axis, shape):
    x = np.random.default_rng(4).normal(size=(5, 3, 4))
    x[:, 2] = x[1, 1:] = x[2] = 0
    layers = [{"type": "masking"}, {"type": "batch_norm", "axis": axis}, DENSE]
    if len(shape) == 3:  # the mask stays with steps of two axes
        each = {"type": "time_distributed", "layer": {"type": "reshape", "target_shape": shape[1:]}}
        back = {"type": "time_distributed", "layer": "flatten"}
        layers = [layers[0], each, layers[1], back, DENSE]
    network, params = network_of({"input": {"shape": [3, 4]}, "layers": layers})
    y = np.random.default_rng(0).normal(size=(5, 3, 2))
    errors = check_gradients(network, params, x, y, "mean_squared_error")
    assert all(error < 1e-6 for error in errors.values()), errors


def test_batch_norm_along_the_steps_follows_the_data_of_each():
    norm = {"type": "batch_norm", "axis": 1, "momentum": 0.0}
    network, params = network_of(
        {"input": {"shape": [3, 4]}, "layers": [{"type": "masking"}, norm]}
    )
    x = np.random.default_rng(4).normal(size=(5, 3, 4))
    x[:, 2] = x[1, 1:] = x[2] = 0
    list(fit(network, params, x, x, {"loss": "mean_squared_error", "epochs": 1, "shards": 2}))
    (mean,) = (params[name] for name in params if name.endswith("moving_mean"))
    data = (x != 0).any(axis=2)
    for step in (0, 1):
        assert mean[step] == pytest.approx(x[data[:, step], step].mean(), rel=1e-12)
    assert mean[2] == 0  # no example has data there
