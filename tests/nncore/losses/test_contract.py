"""What every loss promises, from one table of outputs' shapes and targets."""

import numpy as np
import pytest

from nncore import registry
from nncore.documents import parse, to_document
from nncore.gradient_check import numeric_gradient, relative_error
from nncore.losses import Loss

CASES = [
    ("mean_squared_error", (3,), np.arange(12.0).reshape(4, 3)),
    ("mean_squared_error", (1,), np.arange(4)),
    ("binary_cross_entropy", (2,), np.array([[0, 1], [1, 1], [0, 0], [0.5, 0.25]])),
    ("binary_cross_entropy", (1,), np.array([True, False, True, True])),
    ("cross_entropy", (3,), np.array([0, 2, 1, 2])),
    ("cross_entropy", (2, 5, 3), np.arange(40).reshape(4, 2, 5) % 3),
]
every_case = pytest.mark.parametrize(
    ("name", "shape", "targets"), CASES, ids=[f"{name}-{shape}" for name, shape, _ in CASES]
)


def outputs(shape, rows=4):
    return np.random.default_rng(0).normal(size=(rows, *shape))


@every_case
def test_its_gradient_is_that_of_finite_differences(name, shape, targets):
    loss, y = parse(Loss, name), outputs(shape)
    loss.check(shape, targets)
    terms = loss.terms(targets)
    _, slope = loss.forward(y, targets, terms)
    expected = numeric_gradient(lambda: loss.forward(y, targets, terms)[0], y)
    assert slope.shape == y.shape
    assert relative_error(slope, expected) < 1e-8


@every_case
def test_parts_of_a_batch_add_up_to_the_whole(name, shape, targets):
    loss, y = parse(Loss, name), outputs(shape)
    terms = loss.terms(targets)
    value, slope = loss.forward(y, targets, terms)
    parts = [loss.forward(y[rows], targets[rows], terms) for rows in (slice(0, 1), slice(1, 4))]
    assert sum(part for part, _ in parts) == pytest.approx(value, rel=1e-14)
    assert np.allclose(np.concatenate([part for _, part in parts]), slope, atol=1e-15)


@every_case
def test_the_outputs_are_left_as_they_were_and_keep_their_precision(name, shape, targets):
    loss, y = parse(Loss, name), outputs(shape).astype("float32")
    before = y.copy()
    value, slope = loss.forward(y, targets, loss.terms(targets))
    assert np.array_equal(y, before)
    assert slope.dtype == np.float32
    assert isinstance(value, float)
    assert value > 0


@every_case
def test_an_empty_batch_costs_nothing(name, shape, targets):
    loss = parse(Loss, name)
    value, slope = loss.forward(outputs(shape, 0), targets[:0], 0)
    assert value == 0
    assert slope.shape == (0, *shape)


@every_case
def test_the_document_survives_a_round_trip(name, shape, targets):
    assert to_document(parse(Loss, name)) == {"type": name}


@every_case
def test_predictions_have_the_shape_of_the_outputs(name, shape, targets):
    assert parse(Loss, name).predictions(outputs(shape)).shape == (4, *shape)


def test_every_registered_loss_has_a_row():
    assert {name for name, _, _ in CASES} == set(registry.units(Loss))


@pytest.mark.parametrize(
    ("name", "shape", "targets", "words"),
    [
        (
            "cross_entropy",
            (3,),
            np.array([0.0, 1.0]),
            "needs integer classes as targets, got float64",
        ),
        ("cross_entropy", (3,), np.array([0, 3]), "classes from 0 to 2, got 0 to 3"),
        ("cross_entropy", (3,), np.array([0, -1]), "classes from 0 to 2, got -1 to 0"),
        ("cross_entropy", (3,), np.array([[0], [1]]), "one class for each position"),
        ("binary_cross_entropy", (1,), np.array([0, 2]), "targets from 0 to 1, got 0 to 2"),
        ("binary_cross_entropy", (2,), np.array([0, 1]), "shaped like the outputs"),
        ("mean_squared_error", (2,), np.array([[1.0, 2, 3]]), "shaped like the outputs"),
        ("mean_squared_error", (1,), np.array([1.0, np.nan]), "finite targets"),
        ("mean_squared_error", (1,), np.array(["a"]), "needs numbers as targets"),
    ],
)
def test_targets_that_do_not_fit_are_refused(name, shape, targets, words):
    with pytest.raises(ValueError, match=words):
        parse(Loss, name).check(shape, targets)
