"""Adaptive activations in networks: shared slopes, slope recovery, and what they buy."""

import numpy as np
import pytest

from nncore import Network, fit
from nncore.gradient_check import check_gradients


def network(scope, depth=2, units=4, **fields):
    activation = {"type": "adaptive", "scope": scope, **fields}
    hidden = [{"type": "dense", "units": units, "activation": activation} for _ in range(depth)]
    layers = [*hidden, {"type": "dense", "units": 1}]
    return Network.from_spec({"input": {"shape": [1]}, "layers": layers})


X = np.linspace(-1, 1, 12)[:, None]


def test_one_slope_serves_the_whole_network():
    shapes = network("network").weight_shapes
    assert shapes["network.slope"] == (1,)
    assert [name for name in shapes if name.endswith("slope")] == ["network.slope"]


def test_each_layer_or_neuron_may_have_its_own():
    assert network("layer").weight_shapes["dense_2.slope"] == (1,)
    assert network("neuron").weight_shapes["dense_2.slope"] == (4,)


@pytest.mark.parametrize("scope", ["network", "layer", "neuron"])
def test_gradients_are_right_with_slope_recovery_and_rowdy_terms(scope):
    net = network(scope, n=2, slope_recovery=0.3, rowdy_terms=2)
    params = net.init(seed=1, dtype="float64")
    rng = np.random.default_rng(0)
    for weight in params.values():
        weight += 0.2 * rng.normal(size=weight.shape)
    errors = check_gradients(net, params, X, np.sin(3 * X), "mean_squared_error")
    assert set(errors) == set(net.weight_shapes)
    assert max(errors.values()) < 1e-6


def test_slope_recovery_enters_the_loss_once():
    params = network("layer", n=2).init(dtype="float64")
    plain, _ = network("layer", n=2).loss_and_grads(params, X, X)
    paid, _ = network("layer", n=2, slope_recovery=0.5).loss_and_grads(params, X, X)
    assert paid - plain == pytest.approx(0.5 / np.exp(0.5))


def test_shards_give_the_same_gradients():
    net = network("network", slope_recovery=0.3)
    params = net.init(dtype="float64")
    whole, parts = (net.loss_and_grads(params, X, X, shards=shards) for shards in (1, 3))
    assert parts[0] == pytest.approx(whole[0], rel=1e-12)
    assert all(np.allclose(parts[1][name], whole[1][name], atol=1e-14) for name in whole[1])


def test_rowdy_terms_find_fast_oscillations():
    x = np.linspace(-3, 3, 100)[:, None]
    y = 0.2 * np.sin(18 * x)
    optimizer = {"type": "adam", "learning_rate": 0.001}
    config = {"epochs": 400, "batch_size": None, "optimizer": optimizer}
    losses = {}
    for terms in (0, 3):
        net = network("layer", units=20, n=10, rowdy_terms=terms)
        *_, last = fit(net, net.init(seed=0, dtype="float64"), x, y, config)
        losses[terms] = last.loss
    assert losses[3] < 0.1 * losses[0]
