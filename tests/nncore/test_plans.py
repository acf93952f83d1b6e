"""Steps that repeat a plan give what steps without one give, to the last bit."""

from itertools import pairwise

import numpy as np
import pytest

from nncore import Network, Training, fit
from nncore.activations import Activation
from nncore.examples import Examples
from nncore.executor import Executor
from nncore.objective import objective
from nncore.registry import units
from tests.nncore.activations.test_contract import CASES

REPEATABLE = [document for document, _ in CASES if units(Activation)[document["type"]].repeatable]


def network_of(activation):
    dense = {"type": "dense", "units": 4, "activation": activation}
    return Network.from_spec({"layers": [dense, {"type": "dense", "units": 3}]}, [5])


def examples(loss="mean_squared_error"):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(12, 5)).astype("float32")
    classes = loss == "cross_entropy"
    y = rng.integers(0, 3, 12) if classes else rng.normal(size=(12, 3)).astype("float32")
    return Examples((x,), (y,), (rng.random(12).astype("float32"),))


def trained(executor, params, data, rows):
    batch = executor.train(params, data, rows, 0, 0)
    gradients = {name: gradient.tobytes() for name, gradient in batch.gradients.items()}
    return batch.loss, gradients, [part.outputs[0].copy() for part in batch.parts]


@pytest.mark.parametrize("loss", ["mean_squared_error", "cross_entropy"])
@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("document", REPEATABLE, ids=str)
def test_a_repeated_step_is_a_fresh_one(document, shards, loss):
    network, data = network_of(document), examples(loss)
    params, target = network.init(), objective(loss, network.wiring.outputs)
    order = np.random.default_rng(3).permutation(12)
    with Executor(network.program, target, shards) as executor:
        for rows in (order[:4], order[4:8], order[8:11], order[1:5], slice(2, 6), order[:3]):
            with Executor(network.program, target, shards) as fresh:
                expected = trained(fresh, params, data, rows)
            found = trained(executor, params, data, rows)
            assert found[:2] == expected[:2]
            assert all(map(np.array_equal, found[2], expected[2]))


def test_weights_and_examples_of_other_objects_are_noticed():
    network = network_of("relu")
    target = objective("mean_squared_error", network.wiring.outputs)
    one, other = network.init(1), network.init(2)
    data, half = examples(), examples().rows(slice(0, 6))
    with Executor(network.program, target) as executor:
        first = trained(executor, one, data, slice(0, 4))
        assert trained(executor, other, data, slice(0, 4))[0] != first[0]
        assert trained(executor, one, half, slice(0, 4))[:2] == first[:2]


def test_weights_that_are_no_views_of_one_vector_train_to_the_same_bytes():
    network, data = network_of("tanh"), examples()
    together = network.init(5)
    apart = {name: weight.copy() for name, weight in together.items()}
    for params in (together, apart):
        list(fit(network, params, data.inputs[0], data.targets[0], {"epochs": 3, "batch_size": 5}))
    assert all(together[name].tobytes() == apart[name].tobytes() for name in apart)


def test_fresh_weights_lie_one_behind_the_other():
    weights = network_of("relu").init()
    places = [weight.__array_interface__["data"][0] for weight in weights.values()]
    sizes = [weight.nbytes for weight in weights.values()]
    assert [b - a for a, b in pairwise(places)] == sizes[:-1]


def test_the_number_of_shards_of_a_run_can_be_read():
    network, data = network_of("relu"), examples()
    run = Training(network, network.init(), data.inputs[0], data.targets[0], {})
    assert run.config.shards == 1
    assert run.config.to_document()["shards"] == 1
