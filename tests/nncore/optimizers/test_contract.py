"""What every optimizer promises, from one table of documents."""

import numpy as np
import pytest

from nncore import registry
from nncore.documents import parse, to_document
from nncore.optimizers import Optimizer

CASES = [
    {"type": "sgd", "learning_rate": 0.1},
    {"type": "sgd", "learning_rate": 0.1, "momentum": 0.9},
    {"type": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    {"type": "adam", "learning_rate": 0.1},
]
every_case = pytest.mark.parametrize("document", CASES, ids=[str(case) for case in CASES])


def descended(document, start, steps):
    """Weights after steps down the bowl |w|^2 / 2, whose gradient is w."""
    optimizer = parse(Optimizer, document)
    params = {"a": start.copy(), "b": start[:1].copy()}
    state = optimizer.start(params)
    for step in range(1, steps + 1):
        gradients = {name: weight.copy() for name, weight in params.items()}
        optimizer.update(params, gradients, state, step, optimizer.learning_rate)
    return params, state


@every_case
def test_it_finds_the_bottom_of_a_bowl(document):
    params, _ = descended(document, np.array([3.0, -2.0]), 400)
    assert np.abs(params["a"]).max() < 1e-2


@every_case
def test_the_state_is_shaped_and_typed_like_the_weights(document):
    params, state = descended(document, np.ones((3, 2), "float32"), 2)
    for slot in state.values():
        assert {name: (a.shape, a.dtype) for name, a in slot.items()} == {
            name: (a.shape, a.dtype) for name, a in params.items()
        }
    assert params["a"].dtype == np.float32


@every_case
def test_long_weights_move_like_short_ones(document):
    long, _ = descended(document, np.full(100_000, 2.0), 3)
    short, _ = descended(document, np.full(3, 2.0), 3)
    assert np.array_equal(np.unique(long["a"]), np.unique(short["a"]))


@every_case
def test_a_learning_rate_of_zero_moves_nothing(document):
    optimizer, params = parse(Optimizer, document), {"w": np.ones(3)}
    optimizer.update(params, {"w": np.ones(3)}, optimizer.start(params), 1, 0.0)
    assert np.array_equal(params["w"], np.ones(3))


@every_case
def test_the_document_survives_a_round_trip(document):
    optimizer = parse(Optimizer, document)
    assert parse(Optimizer, to_document(optimizer)) == optimizer


def test_every_registered_optimizer_has_a_row_and_a_learning_rate():
    assert {document["type"] for document in CASES} == set(registry.units(Optimizer))
    assert all(parse(Optimizer, name).learning_rate > 0 for name in registry.units(Optimizer))


def test_nesterov_looks_one_step_ahead():
    optimizer = parse(Optimizer, {"type": "sgd", "momentum": 0.5, "nesterov": True})
    params = {"w": np.array([1.0])}
    state = optimizer.start(params)
    # Step 1: v = 1, move .1 (1 + .5). Step 2: v = 1.5, move .1 (1 + .75).
    optimizer.update(params, {"w": np.array([1.0])}, state, 1, 0.1)
    assert params["w"].item() == pytest.approx(0.85, abs=1e-15)
    optimizer.update(params, {"w": np.array([1.0])}, state, 2, 0.1)
    assert params["w"].item() == pytest.approx(0.675, abs=1e-15)
