"""Batches in shards, and layers whose passes change their own weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from nncore import Network, fit, registry
from nncore.examples import Examples
from nncore.executor import Executor
from nncore.initializers.constant import Ones, Zeros
from nncore.layers import Layer
from nncore.losses.mean_squared_error import MeanSquaredError
from nncore.objective import Objective
from nncore.operation import Weight

SPEC = {
    "input": {"shape": [5, 5, 2]},
    "layers": [
        {"type": "dropout", "rate": 0.3},
        {"type": "conv2d", "filters": 3, "kernel_size": 3, "activation": "tanh"},
        {"type": "max_pool2d", "pool_size": 2, "strides": 1},
        {"type": "flatten"},
        {"type": "dense", "units": 3, "activation": "softmax"},
    ],
}


@pytest.fixture
def centring():
    """A layer known to documents for one test: it subtracts a mean that training follows."""

    @registry.register("centring")
    @dataclass(frozen=True, slots=True)
    class Centring(Layer):
        def weights(self, shape):
            return {
                "mean": Weight(shape, Zeros(), trainable=False),
                "scale": Weight(shape, Ones()),
            }

        def forward(self, params, x, pass_):
            if pass_.training:
                pass_.renew("mean", x.mean(axis=0))
            return params["scale"] * (x - params["mean"]), x - params["mean"]

        def backward(self, params, cache, dy, pass_):
            dx = params["scale"] * dy if pass_.needs_dx else None
            return dx, {"scale": (dy * cache).sum(axis=0)}

    yield Centring
    del registry.units(Layer)["centring"]


@pytest.mark.parametrize("shards", [2, 3, 7, 50])
def test_any_number_of_shards_gives_the_whole_batch_gradient(shards):
    network, rng = Network.from_spec(SPEC), np.random.default_rng(0)
    params, x = network.init(0, "float64"), rng.normal(size=(9, 5, 5, 2))
    y = rng.integers(0, 3, 9)
    loss, gradients = network.loss_and_grads(params, x, y, "cross_entropy", seed=4, step=2)
    found, others = network.loss_and_grads(
        params, x, y, "cross_entropy", shards=shards, seed=4, step=2
    )
    assert found == pytest.approx(loss, rel=1e-13)
    assert set(others) == set(gradients) == set(params)
    for name, gradient in gradients.items():
        assert np.allclose(others[name], gradient, atol=1e-14), name


def test_an_empty_batch_has_no_loss_and_no_gradient():
    network = Network.from_spec(SPEC)
    loss, gradients = network.loss_and_grads(
        network.init(), np.empty((0, 5, 5, 2)), np.empty(0, int), "cross_entropy", shards=2
    )
    assert loss == 0
    assert all(not gradient.any() for gradient in gradients.values())


def test_gradients_outlive_the_next_call():
    network, rng = Network.from_spec(SPEC), np.random.default_rng(0)
    params, x = network.init(), rng.normal(size=(4, 5, 5, 2))
    _, gradients = network.loss_and_grads(params, x, [0, 1, 2, 0], "cross_entropy")
    kept = {name: gradient.copy() for name, gradient in gradients.items()}
    network.loss_and_grads(params, -x, [2, 2, 2, 2], "cross_entropy")
    assert all(np.array_equal(gradients[name], kept[name]) for name in kept)


def test_one_executor_runs_batches_of_different_sizes():
    network, rng = Network.from_spec(SPEC), np.random.default_rng(0)
    params, x = network.init(), rng.normal(size=(8, 5, 5, 2)).astype("float32")
    with Executor(network.program, Objective((MeanSquaredError(),), (1.0,)), 2) as executor:
        for rows in (8, 3, 1, 8):
            parts = executor.infer(params, Examples((x[:rows],)))
            outputs = np.concatenate([part.outputs[0] for part in parts])
            assert np.allclose(outputs, network.predict(params, x[:rows]), atol=1e-6)


@pytest.mark.parametrize("shards", [1, 2])
def test_a_layer_may_keep_running_state(centring, shards):
    spec = {"layers": ["centring", {"type": "dense", "units": 1}]}
    network = Network.from_spec(spec, [2])
    params = network.init(0, "float64")
    x = np.array([[1.0, 4], [3, 4], [5, 7], [7, 9], [9, 1]])
    _, gradients = network.loss_and_grads(params, x, np.ones(5), shards=shards)
    assert set(gradients) == {"centring_1.scale", "dense_1.kernel", "dense_1.bias"}
    assert not params["centring_1.mean"].any()
    list(fit(network, params, x, np.ones(5), {"epochs": 1, "shards": shards}))
    assert params["centring_1.mean"] == pytest.approx([5, 5])
