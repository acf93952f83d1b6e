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
    {"type": "sgd", "learning_rate": 0.1, "weight_decay": 0.1},
    {"type": "adam", "learning_rate": 0.1},
    {"type": "adam", "learning_rate": 0.1, "amsgrad": True, "weight_decay": 0.01},
    {"type": "adamw", "learning_rate": 0.1},
    {"type": "nadam", "learning_rate": 0.1},
    {"type": "adamax", "learning_rate": 0.1},
    {"type": "rmsprop", "learning_rate": 0.03},
    {"type": "rmsprop", "learning_rate": 0.02, "centered": True, "momentum": 0.5},
    {"type": "adagrad", "learning_rate": 1.0},
    {"type": "adadelta", "learning_rate": 10.0},
    {"type": "lion", "learning_rate": 0.04, "beta_2": 0.5},
    {"type": "lbfgs", "max_iter": 2},
    {"type": "lbfgs", "max_iter": 2, "learning_rate": 0.5, "line_search": False},
]
every_case = pytest.mark.parametrize("document", CASES, ids=[str(case) for case in CASES])


def descended(document, start, steps, slowing=False):
    """Weights after steps down the bowl |w|^2 / 2, whose gradient is w."""
    optimizer = parse(Optimizer, document)
    params = {"a": start.copy(), "b": start[:1].copy()}
    state = optimizer.start(params)
    for step in range(1, steps + 1):
        rate = optimizer.learning_rate * (1 - step / steps if slowing else 1)
        move(optimizer, params, state, step, rate)
    return params, state


def move(optimizer, params, state, step, rate):
    """One step down the bowl."""

    def evaluate():
        value = 0.5 * sum(float(np.square(weight).sum()) for weight in params.values())
        return value, {name: weight.copy() for name, weight in params.items()}

    if optimizer.full_batch:
        optimizer.search(params, *evaluate(), state, step, rate, evaluate)
    else:
        optimizer.update(params, evaluate()[1], state, step, rate)


@every_case
def test_it_finds_the_bottom_of_a_bowl(document):
    params, _ = descended(document, np.array([3.0, -2.0]), 400, slowing=True)
    assert np.abs(params["a"]).max() < 1e-2


@every_case
def test_the_state_is_shaped_and_typed_like_the_weights(document):
    params, state = descended(document, np.ones((3, 2), "float32"), 2)
    for slot in parse(Optimizer, document).slots:
        if slot not in state:
            continue
        assert {name: (a.shape, a.dtype) for name, a in state[slot].items()} == {
            name: (a.shape, a.dtype) for name, a in params.items()
        }
    assert params["a"].dtype == np.float32


@every_case
def test_a_run_goes_on_from_its_state_alone(document):
    optimizer = parse(Optimizer, document)
    whole, _ = descended(document, np.array([3.0, -2.0]), 5)
    params, state = descended(document, np.array([3.0, -2.0]), 3)
    # Written as arrays and read into a fresh start, as a checkpoint is.
    copy = optimizer.start(params)
    for slot, arrays in state.items():
        copy[slot] = {name: np.array(array) for name, array in arrays.items()}
    for step in (4, 5):
        move(optimizer, params, copy, step, optimizer.learning_rate)
    assert all(np.array_equal(params[name], whole[name]) for name in whole)


@every_case
def test_long_weights_move_like_short_ones(document):
    long, _ = descended(document, np.full(600_000, 2.0), 3)
    short, _ = descended(document, np.full(3, 2.0), 3)
    if document["type"] == "lbfgs":
        assert np.ptp(long["a"]) < 1e-9
    else:
        assert np.array_equal(np.unique(long["a"]), np.unique(short["a"]))


@every_case
def test_a_learning_rate_of_zero_moves_nothing(document):
    optimizer, params = parse(Optimizer, document), {"w": np.ones(3)}
    move(optimizer, params, optimizer.start(params), 1, 0.0)
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


# After gradients .5, -.25 and .1 from w = 1 with learning rate .1.
GOLDEN = [
    ({"type": "sgd"}, [0.95, 0.975, 0.965]),
    ({"type": "sgd", "momentum": 0.9}, [0.95, 0.93, 0.902]),
    ({"type": "adam"}, [0.900000002, 0.8733662987, 0.8418419430]),
]


@pytest.mark.parametrize(("document", "path"), GOLDEN)
def test_golden_steps(document, path):
    optimizer, params = parse(Optimizer, document), {"w": np.array([1.0])}
    state, found = optimizer.start(params), []
    for step, gradient in enumerate([0.5, -0.25, 0.1], start=1):
        optimizer.update(params, {"w": np.array([gradient])}, state, step, 0.1)
        found.append(params["w"].item())
    assert found == pytest.approx(path, abs=1e-9)


def test_lbfgs_finds_the_bottom_of_a_bent_valley():
    params = {"w": np.array([-1.2, 1.0])}
    optimizer = parse(Optimizer, "lbfgs")
    state = optimizer.start(params)

    def evaluate():
        (x, y) = params["w"]
        value = 100 * (y - x * x) ** 2 + (1 - x) ** 2
        slope = [-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)]
        return float(value), {"w": np.array(slope)}

    for step in range(1, 9):
        optimizer.search(params, *evaluate(), state, step, 1.0, evaluate)
    assert np.allclose(params["w"], [1, 1], atol=1e-4)


def test_a_step_into_the_void_is_taken_back():
    params = {"w": np.array([1.0])}
    optimizer = parse(Optimizer, {"type": "lbfgs", "learning_rate": 50.0})

    def evaluate():
        (x,) = params["w"]
        return (float(x * x) if abs(x) < 3 else float("nan")), {"w": 2 * params["w"]}

    optimizer.search(params, *evaluate(), optimizer.start(params), 1, 50.0, evaluate)
    assert abs(params["w"].item()) < 1e-3
