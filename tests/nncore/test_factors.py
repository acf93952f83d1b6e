"""Gradients that stay factors: what they stand for, where they do, and what that saves."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest

from nncore import Network, fit
from nncore import program as programs
from nncore.executor import Executor
from nncore.factors import Expanding, Factors, joined, worthwhile
from nncore.losses.cross_entropy import CrossEntropy
from nncore.objective import Objective
from nncore.optimizers import chunks
from nncore.training import Training

RNG = np.random.default_rng(0)
SPEC = {
    "input": {"shape": [20]},
    "layers": [
        {"type": "dense", "units": 40, "activation": "relu", "name": "one"},
        {"type": "dropout", "rate": 0.2},
        {"type": "dense", "units": 30, "activation": "tanh", "name": "two"},
        {"type": "dense", "units": 3, "name": "last"},
    ],
}
X, Y = RNG.normal(size=(22, 20)).astype("float32"), RNG.integers(0, 3, 22)
CONFIG = {"loss": "cross_entropy", "batch_size": 8, "epochs": 3, "shards": 2}
OPTIMIZERS = ("sgd", "adam", "adamw", "nadam", "adamax", "rmsprop", "adagrad", "adadelta", "lion")


@pytest.fixture
def all_kernels(monkeypatch):
    """Every kernel that can is factored, however small, and expanded in several blocks."""
    monkeypatch.setattr(programs, "worthwhile", lambda *_: True)
    monkeypatch.setattr(chunks, "BLOCK", 200)


def factors(rows=5, depth=7, units=4, dtype="float64"):
    return Factors(
        RNG.normal(size=(rows, depth)).astype(dtype), RNG.normal(size=(rows, units)).astype(dtype)
    )


def trained(config, spec=SPEC):
    """Epochs and weights after training, and the names of the factored weights."""
    network = Network.from_spec(spec)
    params = network.init(3)
    run = Training(network, params, X, Y, {**CONFIG, **config})
    return list(run), params, run._factored


def test_the_squares_of_a_product_come_from_its_factors():
    pair = factors()
    assert pair.square() == pytest.approx(np.square(pair.x.T @ pair.dy).sum(), rel=1e-13)
    assert Factors(np.zeros((2, 3)), np.ones((2, 4))).square() == 0
    rows = np.ones((2, 3), "float32")
    assert Factors(rows, np.array([[1.0], [-1.0]], "float32")).square() == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_square_is_not_finite_if_an_element_is_not(bad):
    pair = factors(dtype="float32")
    pair.dy[2, 1] = bad
    assert not math.isfinite(pair.square())
    huge = Factors(np.full((1, 2), 1e30, "float32"), np.full((1, 2), 1e30, "float32"))
    assert huge.square() == math.inf


def test_blocks_of_rows_are_expanded_one_after_the_other():
    pair, buffer = factors(), np.empty(20)
    blocks = {"a": ("w", slice(0, 3)), "b": ("w", slice(3, 7))}
    vector = np.ones(3)
    gradients = Expanding({"v": vector}, blocks, {"w": pair}, buffer)
    assert list(gradients) == ["v", "a", "b"]
    assert len(gradients) == 3
    assert gradients["v"] is vector
    whole = pair.x.T @ pair.dy
    for name, rows in (("a", whole[:3]), ("b", whole[3:])):
        assert np.allclose(gradients[name], rows.reshape(-1), rtol=1e-14)
        assert np.shares_memory(gradients[name], buffer)


def test_rows_of_several_shards_are_one_product():
    parts = [factors(rows) for rows in (3, 2)]
    expected = sum(part.x.T @ part.dy for part in parts)
    whole = joined(parts)
    assert np.allclose(whole.expand(slice(0, 7), np.empty(28)), expected.reshape(-1))


def test_only_large_kernels_and_few_rows_are_worth_it():
    assert worthwhile((4096, 4096), 8)
    assert not worthwhile((4096, 4096), 256)
    assert not worthwhile((512, 512), 1)


@pytest.mark.usefixtures("all_kernels")
@pytest.mark.parametrize("shards", [1, 2, 3])
def test_factors_expand_to_the_gradients(shards):
    network = Network.from_spec(SPEC)
    params = network.init(0, "float64")
    loss, gradients = network.loss_and_grads(params, X, Y, "cross_entropy", shards, seed=4, step=2)
    target = Objective((CrossEntropy(),), (1.0,))
    names = network.program.factored(len(X))
    assert names == {"one.kernel", "two.kernel", "last.kernel"}
    with Executor(network.program, target, shards, names) as executor:
        examples = network.examples(X, Y, target)
        for _ in range(2):
            batch = executor.train(params, examples, slice(0, len(X)), 4, 2)
    assert batch.loss == pytest.approx(loss, rel=1e-13)
    assert not names & batch.gradients.keys()
    for name, pair in batch.factors.items():
        assert np.allclose(pair.x.T @ pair.dy, gradients[name], atol=1e-14), name
    squares = sum(np.square(gradient).sum() for gradient in gradients.values())
    assert batch.square == pytest.approx(squares, rel=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_ends_with_the_same_weights(optimizer, request):
    config = {"optimizer": {"type": optimizer, "weight_decay": 0.01}, "clip_norm": 0.5}
    if optimizer == "nadam":
        config["optimizer"] = {"type": optimizer}
    plain_epochs, plain, none = trained(config)
    request.getfixturevalue("all_kernels")
    epochs, params, factored = trained(config)
    assert not none
    assert len(factored) == 3
    for name, weight in plain.items():
        assert np.allclose(params[name], weight, atol=2e-4), name
    for epoch, expected in zip(epochs, plain_epochs, strict=True):
        assert epoch.loss == pytest.approx(expected.loss, rel=1e-3)
        assert epoch.gradient_norm == pytest.approx(expected.gradient_norm, rel=1e-2)
    again, other, _ = trained(config)
    assert again == epochs
    assert all(other[name].tobytes() == params[name].tobytes() for name in params)


@pytest.mark.usefixtures("all_kernels")
@pytest.mark.parametrize(
    "whole",
    [
        {"clip_value": 0.1},
        {"clip_weight_norm": 0.1},
        {"accumulate_steps": 2},
        {"batch_size": None, "optimizer": "lbfgs"},
    ],
)
def test_what_looks_at_all_elements_has_them(whole):
    epochs, _, factored = trained(whole)
    assert not factored
    assert epochs[-1].step > 0


@pytest.mark.usefixtures("all_kernels")
def test_kernels_that_other_things_touch_are_expanded():
    dense = {"type": "dense", "units": 20, "activation": "tanh"}
    network = Network.from_spec(
        {
            "input": {"shape": [6, 20]},
            "layers": [
                {**dense, "name": "shared"},
                {**dense, "shares": "shared"},
                {**dense, "name": "penalized", "kernel_regularizer": "l2"},
                {**dense, "name": "frozen", "trainable": False},
                {"type": "time_distributed", "layer": dense, "name": "wrapped"},
                {"type": "binary_dense", "units": 20, "name": "binary"},
                {**dense, "name": "plain"},
            ],
        }
    )
    assert network.program.factored(4) == {"plain.kernel"}


@pytest.mark.usefixtures("all_kernels")
def test_a_gradient_that_is_not_finite_ends_the_run():
    # No tanh: kernels that fuse products and sums give it infinities, which it makes finite again.
    layers = [{"type": "dense", "units": units, "activation": "relu"} for units in (40, 30)]
    network = Network.from_spec({**SPEC, "layers": [*layers, {"type": "dense", "units": 3}]})
    params = network.init(0)
    config = {**CONFIG, "optimizer": {"type": "sgd", "learning_rate": 1e30}}
    with pytest.raises(ArithmeticError):
        list(fit(network, params, X, Y, config))


def test_no_gradient_is_as_large_as_the_kernel():
    network = Network.from_spec(
        {"input": {"shape": [1024]}, "layers": [{"type": "dense", "units": 2048}]}
    )
    params, x = network.init(0), RNG.normal(size=(4, 1024)).astype("float32")
    run = Training(network, params, x, [1, 2, 3, 4], {**CONFIG, "epochs": 2, "shards": 2})
    tracemalloc.start()
    list(run)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The optimizer's state was there before; what a step takes are blocks for each thread.
    assert peak < params["dense_1.kernel"].nbytes
