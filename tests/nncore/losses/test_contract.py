"""What every loss promises, from one table of documents, outputs' shapes and targets."""

import numpy as np
import pytest

from nncore import Network, registry
from nncore.documents import parse, to_document
from nncore.gradient_check import numeric_gradient, relative_error
from nncore.losses import Loss
from nncore.losses.weighting import check_sample_weights

NUMBERS = np.arange(12.0).reshape(4, 3)
SHARES = np.array([[0.5, 0.25, 0.25], [1, 0, 0], [0.2, 0.2, 0.6], [0, 0.9, 0.1]])
SIGNS = np.array([[1, -1], [1, 1], [-1, -1], [-1, 1]])
CLASSES = np.array([0, 2, 1, 2])
POSITIONS = np.arange(40).reshape(4, 2, 5) % 3
CASES = [
    ("mean_squared_error", (3,), NUMBERS),
    ("mean_squared_error", (1,), np.arange(4)),
    ("mean_squared_error", (3, 2), np.arange(24.0).reshape(4, 3, 2) / 9),
    ("root_mean_squared_error", (3,), NUMBERS),
    ("half_sum_squared_error", (3,), NUMBERS),
    ("mean_absolute_error", (3,), NUMBERS),
    ("huber", (3,), NUMBERS),
    ({"type": "huber", "delta": 0.3}, (2,), NUMBERS[:, :2] / 5),
    ("log_cosh", (3,), NUMBERS),
    ({"type": "poisson", "log_input": True}, (3,), NUMBERS),
    ("hinge", (2,), SIGNS),
    ("hinge", (1,), CLASSES // 2),
    ("squared_hinge", (2,), SIGNS),
    ("categorical_hinge", (3,), CLASSES),
    ("categorical_hinge", (2, 5, 3), POSITIONS),
    ("cosine_similarity", (3,), -NUMBERS),
    ("cosine_similarity", (2, 3), -np.arange(24.0).reshape(4, 2, 3)),
    ("kl_divergence", (3,), SHARES),
    ("binary_cross_entropy", (2,), np.array([[0, 1], [1, 1], [0, 0], [0.5, 0.25]])),
    ("binary_cross_entropy", (1,), np.array([True, False, True, True])),
    (
        {"type": "binary_cross_entropy", "label_smoothing": 0.1, "pos_weight": [2, 0.5]},
        (2,),
        np.array([[0, 1], [1, 1], [0, 0], [0.5, 0.25]]),
    ),
    ({"type": "binary_cross_entropy", "pos_weight": 3}, (1,), np.array([1, 0, 1, 1])),
    ("cross_entropy", (3,), CLASSES),
    ("cross_entropy", (2, 5, 3), POSITIONS),
    ("cross_entropy", (3,), SHARES),
    ({"type": "cross_entropy", "label_smoothing": 0.2}, (3,), CLASSES),
    ({"type": "cross_entropy", "label_smoothing": 0.2}, (3,), SHARES),
    ({"type": "cross_entropy", "class_weights": [1, 0.5, 3]}, (3,), CLASSES),
    ({"type": "cross_entropy", "class_weights": [1, 0.5, 3]}, (3,), SHARES),
    ({"type": "cross_entropy", "ignore_index": 2}, (2, 5, 3), POSITIONS),
    ({"type": "cross_entropy", "ignore_index": -1}, (3,), np.array([0, -1, 1, 2])),
    ("ctc", (7, 4), np.array([[1, 2, 3], [2, 2, -1], [1, -1, -1], [-1, -1, -1]])),
    ({"type": "ctc", "blank": 3}, (7, 4), np.array([[0, 2], [2, 2], [1, 3], [3, 3]])),
]
every_case = pytest.mark.parametrize(
    ("document", "shape", "targets"),
    CASES,
    ids=[f"{d if isinstance(d, str) else d['type']}-{i}" for i, (d, *_) in enumerate(CASES)],
)


def outputs(shape, rows=4):
    return np.random.default_rng(0).normal(size=(rows, *shape))


def masks(loss, shape, targets):
    """A mask that leaves something of every kind of target, None if there are no positions."""
    if len(shape) < 2:
        return None
    lengths = np.array([shape[0], shape[0] - 1, 1, shape[0] - 1])
    if loss.type_name == "ctc":
        lengths = np.array([7, 5, 4, 3])
    return np.arange(shape[0]) < lengths[:, None]


@every_case
def test_its_gradient_is_that_of_finite_differences(document, shape, targets):
    loss, y = parse(Loss, document), outputs(shape)
    loss.check(shape, targets)
    terms = loss.terms(targets)
    _, slope = loss.forward(y, targets, terms)
    expected = numeric_gradient(lambda: loss.forward(y, targets, terms)[0], y)
    assert slope.shape == y.shape
    assert relative_error(slope, expected) < 5e-8


@every_case
def test_its_gradient_is_right_with_sample_weights_and_a_mask(document, shape, targets):
    loss, y = parse(Loss, document), outputs(shape)
    mask, weights = masks(loss, shape, targets), np.array([1.0, 0, 3, 0.5])
    terms = loss.terms(targets, mask)
    _, slope = loss.forward(y, targets, terms, weights, mask)
    expected = numeric_gradient(lambda: loss.forward(y, targets, terms, weights, mask)[0], y)
    assert relative_error(slope, expected) < 5e-8
    assert not slope[1].any()
    assert mask is None or not slope[~mask].any()


@every_case
def test_sample_weights_multiply_the_terms(document, shape, targets):
    loss, y = parse(Loss, document), outputs(shape)
    terms = loss.terms(targets)
    single = [
        loss.forward(y[row : row + 1], targets[row : row + 1], terms)[0] for row in range(len(y))
    ]
    weights = np.array([2.0, 0, 1, 0.25])
    assert loss.forward(y, targets, terms, weights)[0] == pytest.approx(np.dot(weights, single))


@every_case
def test_what_lies_under_the_mask_does_not_matter(document, shape, targets):
    loss, y = parse(Loss, document), outputs(shape)
    mask = masks(loss, shape, targets)
    if mask is None:
        return
    terms = loss.terms(targets, mask)
    value, slope = loss.forward(y, targets, terms, None, mask)
    other = y.copy()
    other[~mask] = 7
    changed, slopes = loss.forward(other, targets, terms, None, mask)
    assert changed == value
    assert np.array_equal(slopes[mask], slope[mask])
    if loss.type_name == "ctc":
        return
    kept = np.ones(targets.shape, bool) & mask.reshape(mask.shape + (1,) * (targets.ndim - 2))
    shaped = (-1, *shape[1:]) if targets.ndim == 1 + len(shape) else (-1, *targets.shape[2:])
    alone = targets[kept].reshape(shaped)
    assert value == pytest.approx(loss.forward(y[mask], alone, loss.terms(alone))[0])


@every_case
def test_parts_of_a_batch_add_up_to_the_whole(document, shape, targets):
    loss, y = parse(Loss, document), outputs(shape)
    terms = loss.terms(targets)
    value, slope = loss.forward(y, targets, terms)
    parts = [loss.forward(y[rows], targets[rows], terms) for rows in (slice(0, 1), slice(1, 4))]
    assert sum(part for part, _ in parts) == pytest.approx(value, rel=1e-14)
    assert np.allclose(np.concatenate([part for _, part in parts]), slope, atol=1e-15)


@every_case
def test_the_outputs_are_left_as_they_were_and_keep_their_precision(document, shape, targets):
    loss, y = parse(Loss, document), outputs(shape).astype("float32")
    before, mask = y.copy(), masks(loss, shape, targets)
    value, slope = loss.forward(y, targets, loss.terms(targets), np.ones(4), mask)
    assert np.array_equal(y, before)
    assert slope.dtype == np.float32
    assert isinstance(value, float)


@every_case
def test_extreme_outputs_cost_a_finite_sum(document, shape, targets):
    loss, y = parse(Loss, document), 1e4 * outputs(shape).astype("float32")
    if "log_input" in to_document(loss):
        return  # the exponential of a rate's logarithm has every right to be infinite
    value, slope = loss.forward(y, targets, loss.terms(targets))
    assert np.isfinite(value)
    assert np.isfinite(slope).all()


@every_case
def test_an_empty_batch_costs_nothing(document, shape, targets):
    loss = parse(Loss, document)
    value, slope = loss.forward(outputs(shape, 0), targets[:0], 0)
    assert value == 0
    assert slope.shape == (0, *shape)


@every_case
def test_the_document_survives_a_round_trip(document, shape, targets):
    loss = parse(Loss, document)
    assert parse(Loss, to_document(loss)) == loss


@every_case
def test_predictions_have_the_shape_of_the_outputs(document, shape, targets):
    assert parse(Loss, document).predictions(outputs(shape)).shape == (4, *shape)


def test_every_registered_loss_has_a_row():
    named = {d if isinstance(d, str) else d["type"] for d, _, _ in CASES}
    assert named == set(registry.units(Loss))


Y, T = np.array([[1.0, -2.0, 0.5]]), np.array([[0.5, 1.0, 0.5]])
ODDS = np.log([[2.0, 1, 1]])
VALUES = [
    ("mean_squared_error", Y, T, 9.25 / 3),
    ("half_sum_squared_error", np.array([[0.7, 0.2, 0.1]]), np.array([[1.0, 0, 0]]), 0.07),
    ("mean_absolute_error", Y, T, 3.5 / 3),
    ("huber", Y, T, (0.125 + 2.5) / 3),
    ({"type": "huber", "delta": 2}, Y, T, (0.125 + 4) / 3),
    ("log_cosh", Y, T, (np.log(np.cosh(0.5)) + np.log(np.cosh(3))) / 3),
    ("poisson", np.array([[1.0, 2.0]]), np.array([[3.0, 0]]), (1 + 2 - 3e-7) / 2),
    ({"type": "poisson", "log_input": True}, np.zeros((1, 1)), np.array([[2.0]]), 1),
    ("hinge", np.array([[0.5, -3.0, 0.25]]), np.array([[1, -1, 0]]), (0.5 + 0 + 1.25) / 3),
    ("squared_hinge", np.array([[0.5, -3.0, 0.25]]), np.array([[1, -1, 0]]), 1.8125 / 3),
    ("categorical_hinge", Y, np.array([2]), 1.5),
    ("cosine_similarity", np.array([[3.0, 4]]), np.array([[0.0, 2]]), -0.8),
    ("cosine_similarity", np.array([[0.0, 0]]), np.array([[0.0, 2]]), 0),
    ("kl_divergence", ODDS, np.array([[0.5, 0.25, 0.25]]), 0),
    ("kl_divergence", ODDS, np.array([[1.0, 0, 0]]), np.log(2)),
    ("cross_entropy", np.array([[2, 1, 0.1]]), np.array([0]), 0.4170300163),
    ("cross_entropy", ODDS, np.array([[0.5, 0.25, 0.25]]), 0.5 * np.log(2) + 0.5 * np.log(4)),
    (
        {"type": "cross_entropy", "label_smoothing": 0.3},
        ODDS,
        np.array([1]),
        0.8 * np.log(4) + 0.1 * np.log(2) + 0.1 * np.log(4),
    ),
    (
        {"type": "cross_entropy", "class_weights": [5, 1, 1]},
        np.repeat(ODDS, 2, axis=0),
        np.array([0, 1]),
        (5 * np.log(2) + np.log(4)) / 2,
    ),
    (
        {"type": "cross_entropy", "ignore_index": 255},
        np.repeat(ODDS, 3, axis=0),
        np.array([0, 255, 1]),
        (np.log(2) + np.log(4)) / 2,
    ),
    (
        {"type": "binary_cross_entropy", "pos_weight": 2, "label_smoothing": 0.2},
        np.log([[3.0]]),
        np.array([1]),
        0.9 * 2 * np.log(4 / 3) + 0.1 * np.log(4),
    ),
]


@pytest.mark.parametrize(("document", "y", "targets", "value"), VALUES)
def test_it_has_the_known_value(document, y, targets, value):
    loss = parse(Loss, document)
    loss.check(y.shape[1:], targets)
    found, _ = loss.forward(y, targets, loss.terms(targets))
    assert found == pytest.approx(value, abs=1e-9)


def test_softmax_with_cross_entropy_has_golden_gradients():
    loss = parse(Loss, "cross_entropy")
    _, slope = loss.forward(np.array([[2, 1, 0.1]]), np.array([0]), 1)
    assert np.allclose(slope, [[-0.3409988611, 0.2424329707, 0.0985658904]], atol=1e-10)


def test_the_root_of_the_mean_is_taken_last():
    loss = parse(Loss, "root_mean_squared_error")
    mean, slope = loss.forward(Y, T, 3)
    value, factor = loss.outer(mean)
    assert value == pytest.approx(np.sqrt(9.25 / 3))
    assert np.allclose(factor * slope, (Y - T) / (3 * value))
    assert loss.outer(0.0) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("document", "shape", "targets", "words"),
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
        ("cross_entropy", (3,), -SHARES, "shares of at least 0"),
        (
            {"type": "cross_entropy", "class_weights": [1, 2]},
            (3,),
            CLASSES,
            "one number for each of the 3 classes, got 2",
        ),
        ("binary_cross_entropy", (1,), np.array([0, 2]), "targets from 0 to 1, got 0 to 2"),
        ("binary_cross_entropy", (2,), np.array([0, 1]), "shaped like the outputs"),
        (
            {"type": "binary_cross_entropy", "pos_weight": [1, 2, 3]},
            (2,),
            SIGNS > 0,
            "each of the 2 outputs, got 3",
        ),
        ("mean_squared_error", (2,), np.array([[1.0, 2, 3]]), "shaped like the outputs"),
        ("mean_squared_error", (1,), np.array([1.0, np.nan]), "finite targets"),
        ("mean_squared_error", (1,), np.array(["a"]), "needs numbers as targets"),
        ("poisson", (1,), np.array([-1.0]), "at least 0, got -1"),
        ("hinge", (1,), np.array([2.0]), "needs targets -1 and 1, or 0 and 1"),
        ("kl_divergence", (2,), -np.ones((1, 2)), "at least 0, got -1"),
        ("ctc", (5,), np.array([[1]]), "scores of each class at each step"),
        ("ctc", (5, 3), np.array([1]), "a row of labels for each example"),
        ("ctc", (5, 3), np.array([[1.5]]), "integer labels, got float64"),
        ("ctc", (5, 3), np.array([[3]]), "labels from 0 to 2, got 3"),
        ("ctc", (5, 3), np.array([[-1, 1]]), "after the labels only"),
        ("ctc", (3, 3), np.array([[1, 1, 2]]), "needs at least 4 steps, the outputs have 3"),
        ({"type": "ctc", "blank": 3}, (5, 3), np.array([[1]]), "blank 3 is no class"),
    ],
)
def test_targets_that_do_not_fit_are_refused(document, shape, targets, words):
    with pytest.raises(ValueError, match=words):
        parse(Loss, document).check(shape, targets)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(3), "one number for each example"),
        (np.ones((2, 3)), "one number for each example"),
        (np.array([1.0, -1.0]), "at least 0"),
        (np.array([1.0, np.nan]), "finite"),
        (np.array(["a", "b"]), "must be numbers"),
    ],
)
def test_sample_weights_that_do_not_fit_are_refused(weights, words):
    with pytest.raises(ValueError, match=words):
        check_sample_weights(weights, np.zeros((2, 4)))


def test_a_softmax_over_another_axis_is_not_taken_for_the_losss_own():
    x, y = np.random.default_rng(0).normal(size=(4, 5, 3)), np.zeros((4, 5), int)

    def value(axis):
        softmax = {"type": "activation", "activation": {"type": "softmax", "axis": axis}}
        network = Network.from_spec({"input": {"shape": [5, 3]}, "layers": [softmax]})
        return network.loss_and_grads({}, x, y, "cross_entropy")[0]

    direct = parse(Loss, "cross_entropy").forward(x, y, 20)[0]
    assert value(-1) == value(2) == pytest.approx(direct, rel=1e-6)
    assert value(1) != pytest.approx(direct, rel=1e-2)
