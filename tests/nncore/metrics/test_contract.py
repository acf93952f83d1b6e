"""What every metric promises, from one table of predictions, targets and known values."""

import functools

import numpy as np
import pytest

from nncore import registry
from nncore.documents import parse, to_document
from nncore.metrics import Metric

ONE, TWO = np.array([[1.0], [2], [4], [8]]), np.array([[1.0, 0], [2, 1], [4, 0], [8, 3]])
CASES = [
    ("accuracy", np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.5, 0.4, 0.1]]), [0, 2, 1], 2 / 3),
    ("accuracy", np.array([[0.7], [0.2], [0.4], [0.6]]), [1, 0, 1, 1], 0.75),
    ("accuracy", np.array([[0.7, 0.2], [0.2, 0.4]]), [[1, 0], [1, 1]], 0.5),
    ("accuracy", np.array([[[0.9, 0.1], [0.2, 0.8]]]), [[0, 0]], 0.5),
    ("mean_squared_error", ONE, [1, 1, 1, 1], (1 + 9 + 49) / 4),
    ("mean_squared_error", TWO, TWO - 1, 1),
    ("root_mean_squared_error", TWO, TWO + 2, 2),
    ("mean_absolute_error", ONE, [[0], [3], [4], [0]], 2.5),
    ("r2", ONE, [1, 2, 4, 8], 1),
    ("r2", np.full((4, 1), 3.75), [1, 2, 4, 8], 0),
    ("r2", TWO, [[1, 1], [2, 1], [4, 1], [8, 1]], 0.5),
    ("r2", np.full((3, 1), 0.1), [0.1, 0.1, 0.1], 1),
]
every_case = pytest.mark.parametrize(
    ("name", "predictions", "targets", "value"),
    CASES,
    ids=[f"{name}-{i}" for i, (name, *_) in enumerate(CASES)],
)


@every_case
def test_it_has_the_known_value(name, predictions, targets, value):
    metric = parse(Metric, name)
    assert metric.value(metric.measure(predictions, np.array(targets))) == pytest.approx(value)


@every_case
def test_batches_give_what_the_whole_gives(name, predictions, targets, value):
    metric, targets = parse(Metric, name), np.array(targets)
    for cut in range(len(targets) + 1):
        parts = [
            metric.measure(predictions[rows], targets[rows])
            for rows in (slice(0, cut), slice(cut, None))
        ]
        together = functools.reduce(metric.combine, parts)
        assert metric.value(together) == pytest.approx(value, rel=1e-12)


@every_case
def test_the_document_survives_a_round_trip(name, predictions, targets, value):
    assert to_document(parse(Metric, name)) == {"type": name}
    assert isinstance(parse(Metric, name).greater_is_better, bool)


def test_every_registered_metric_has_a_row():
    assert {name for name, *_ in CASES} == set(registry.units(Metric))


def test_r2_keeps_its_digits_far_from_zero():
    rng = np.random.default_rng(0)
    spread = rng.normal(size=1000)
    error = 0.1 * rng.normal(size=1000)
    metric = parse(Metric, "r2")
    near = metric.value(metric.measure(spread + error, spread))
    batches = [
        metric.measure(1e6 + (spread + error)[i : i + 100], 1e6 + spread[i : i + 100])
        for i in range(0, 1000, 100)
    ]
    assert metric.value(functools.reduce(metric.combine, batches)) == pytest.approx(near, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "predictions", "targets", "words"),
    [
        ("accuracy", np.ones((2, 3)), np.array([[1, 0], [0, 1]]), "cannot compare"),
        ("accuracy", np.ones((2, 1)), np.array([0.5, 3.0]), "needs classes, or 0 and 1"),
        ("r2", np.ones((2, 3)), np.array([1, 2]), "values of the same shape"),
    ],
)
def test_targets_that_do_not_fit_are_refused(name, predictions, targets, words):
    with pytest.raises(ValueError, match=words):
        parse(Metric, name).measure(predictions, targets)
