"""Shards meet: sums are exact and the same for each, and nobody waits for one that failed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from nncore import Network, registry
from nncore.layers import Layer
from nncore.shards import Meeting


def together(members, work):
    """What each member's work gives."""
    with ThreadPoolExecutor(members) as pool:
        return list(pool.map(work, range(members)))


def test_everybody_gets_the_same_sum_in_the_order_of_their_places():
    meeting = Meeting(3)
    values = [0.1, 0.2, 0.3]
    assert together(3, lambda place: meeting.total(place, values[place])) == [0.1 + 0.2 + 0.3] * 3


def test_many_sums_follow_each_other():
    meeting = Meeting(4)
    found = together(4, lambda place: [meeting.total(place, 10**n * place) for n in range(200)])
    assert all(sums == [6 * 10**n for n in range(200)] for sums in found)


def test_arrays_are_added_and_left_as_they_were():
    meeting = Meeting(2)
    arrays = [np.ones(3), np.arange(3.0)]
    first, second = together(2, lambda place: meeting.total(place, arrays[place]))
    assert first.tolist() == second.tolist() == [1, 2, 3]
    assert arrays[0].tolist() == [1, 1, 1]


def test_one_that_leaves_wakes_up_the_others():
    meeting = Meeting(2)

    def work(place):
        if place:
            meeting.leave()
            return "left"
        with pytest.raises(threading.BrokenBarrierError):
            meeting.total(place, 1.0)
        return "woken"

    assert together(2, work) == ["woken", "left"]


@pytest.fixture
def centred():
    """A layer known to documents for one test: it subtracts the mean of the whole batch."""

    @registry.register("centred")
    @dataclass(frozen=True, slots=True)
    class Centred(Layer):
        limit: float = 1e9

        def forward(self, params, x, pass_):
            assert not params
            count = pass_.sum_over_shards(np.array([float(len(x))]))
            if x.size and x.max() > self.limit:
                raise ArithmeticError("too large for this layer")
            return x - pass_.sum_over_shards(x.sum(axis=0)) / count, count

        def backward(self, params, cache, dy, pass_):
            assert not params
            return dy - pass_.sum_over_shards(dy.sum(axis=0)) / cache, {}

    yield
    del registry.units(Layer)["centred"]


@pytest.mark.parametrize("shards", [1, 2, 3, 20])
def test_statistics_over_the_batch_are_exact_however_it_is_divided(centred, shards):
    dense = {"type": "dense", "units": 2, "activation": "tanh"}
    network = Network.from_spec({"layers": [dense, "centred", dense]}, [3])
    params, rng = network.init(0, "float64"), np.random.default_rng(0)
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
    loss, gradients = network.loss_and_grads(params, x, y)
    found, others = network.loss_and_grads(params, x, y, shards=shards)
    assert found == pytest.approx(loss, rel=1e-13)
    assert all(np.allclose(others[name], gradients[name], atol=1e-14) for name in params)
    again = network.loss_and_grads(params, x, y, shards=shards)[1]
    assert all(np.array_equal(again[name], others[name]) for name in params)


def test_the_error_of_one_shard_is_what_the_caller_gets(centred):
    network = Network.from_spec({"layers": [{"type": "centred", "limit": 5}]}, [1])
    x = np.array([[1.0], [2.0], [3.0], [9.0]])
    with pytest.raises(ArithmeticError, match="too large for this layer"):
        network.loss_and_grads({}, x, x, shards=4)
    assert network.loss_and_grads({}, x[:3], x[:3], shards=4)[0] > 0


@pytest.mark.parametrize("shards", [1, 2, 5])
def test_a_loss_of_the_whole_batch_is_the_same_however_it_is_divided(shards):
    network = Network.from_spec({"layers": [{"type": "dense", "units": 2}]}, [3])
    params, rng = network.init(0, "float64"), np.random.default_rng(0)
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
    loss, gradients = network.loss_and_grads(params, x, y, "root_mean_squared_error", shards=shards)
    errors = network.predict(params, x) - y
    assert loss == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-13)
    expected = x.T @ errors / (errors.size * loss)
    assert np.allclose(gradients["dense_1.kernel"], expected, atol=1e-14)
