"""Predictors: the same numbers as `predict`, call after call."""

import numpy as np
import pytest

from nncore import Network

DENSE = [
    {"type": "dense", "units": 7, "activation": "relu"},
    {"type": "dense", "units": 5, "activation": "tanh"},
    {"type": "dense", "units": 3, "activation": "sigmoid"},
]
CONVOLUTION = [
    {"type": "reshape", "target_shape": [2, 3, 1]},
    {"type": "conv2d", "filters": 4, "kernel_size": 2, "activation": "relu"},
    {"type": "flatten"},
    {"type": "dense", "units": 3, "activation": "softmax"},
]


@pytest.fixture(params=[DENSE, CONVOLUTION], ids=["dense", "convolution"])
def network(request):
    return Network.from_spec({"input": {"shape": [6]}, "layers": request.param})


def batches(*counts):
    rng = np.random.default_rng(1)
    return [rng.normal(size=(count, 6)).astype("float32") for count in counts]


@pytest.mark.parametrize("shards", [None, 1, 2, 3])
def test_it_predicts_what_the_network_does_whatever_came_before(network, shards):
    params = network.init(seed=4)
    predictor = network.predictor(params, batch_size=8, shards=shards)
    for x in batches(4, 4, 8, 1, 19, 4, 0):
        assert np.allclose(predictor(x), network.predict(params, x), atol=1e-6)
    predictor.close()
    (x,) = batches(4)
    assert np.allclose(predictor(x), network.predict(params, x), atol=1e-6)


def test_its_results_stay_as_they_are(network):
    predictor = network.predictor(network.init(), shards=1)
    one, other = batches(4, 4)
    found = predictor(one)
    kept = found.copy()
    predictor(other + 1)
    assert np.array_equal(found, kept)


def test_inputs_of_other_types_are_taken_in_the_weights_precision(network):
    params = network.init(dtype="float64")
    predictor = network.predictor(params, shards=1)
    for x in (np.arange(12).reshape(2, 6), [[1, 2, 3, 4, 5, 6]] * 2, np.ones((2, 6), "float32")):
        found = predictor(x)
        assert found.dtype == np.float64
        assert np.array_equal(found, network.predict(params, np.asarray(x)))


def test_the_input_is_left_as_it_was(network):
    (x,) = batches(5)
    before = x.copy()
    predictor = network.predictor(network.init(), shards=1)
    predictor(x)
    predictor(x)
    assert np.array_equal(x, before)


def test_inputs_that_do_not_fit_are_refused_after_some_that_did(network):
    predictor = network.predictor(network.init(), shards=1)
    predictor(np.ones((4, 6), "float32"))
    with pytest.raises(ValueError, match=r"x must have shape \(N, \*\[6\]\)"):
        predictor(np.ones((4, 5), "float32"))


def test_several_outputs_come_by_name():
    layers = [
        {"type": "dense", "units": 2, "name": "a"},
        {"type": "dense", "units": 3, "name": "b", "inputs": ["a"]},
    ]
    network = Network.from_spec({"input": {"shape": [6]}, "layers": layers, "outputs": ["a", "b"]})
    params, (x,) = network.init(), batches(4)
    found = network.predictor(params)(x)
    assert {name: value.shape for name, value in found.items()} == {"a": (4, 2), "b": (4, 3)}
    assert np.array_equal(found["b"], network.predict(params, x)["b"])


def test_large_batches_go_to_two_threads_and_small_ones_to_none():
    network = Network.from_spec({"layers": [{"type": "dense", "units": 1024}]}, [1024])
    assert network.shards(1) == 1
    assert network.shards(64) == 2


@pytest.mark.parametrize(("units", "shards"), [(64, 1), (128, 2)])
def test_many_short_steps_stay_on_one_thread(units, shards):
    ways = {"type": "bidirectional", "layer": {"type": "lstm", "units": units}}
    network = Network.from_spec({"layers": [ways]}, [200, 64])
    assert network.shards(32) == shards
    assert network.shards(128) == 2
