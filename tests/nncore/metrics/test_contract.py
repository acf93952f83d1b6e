"""What every metric promises, from one table of predictions, targets and known values."""

import functools

import numpy as np
import pytest

from nncore import registry
from nncore.documents import parse, to_document
from nncore.metrics import Metric

ONE, TWO = np.array([[1.0], [2], [4], [8]]), np.array([[1.0, 0], [2, 1], [4, 0], [8, 3]])
BITS = np.array([[0.7], [0.2], [0.4], [0.6]])
THREE = np.array(
    [[0.7, 0.2, 0.1], [0.2, 0.3, 0.5], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4], [0.6, 0.1, 0.3]]
)
TWO_CLASSES = np.array([[0.4, 0.6], [0.3, 0.7], [0.2, 0.8]])
# Read: 1 2; 2 1; 1 (the repetition merged).
STEPS = np.eye(3)[[[1, 0, 2, 2], [2, 0, 1, 0], [1, 1, 0, 0]]]
CASES = [
    ("accuracy", np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.5, 0.4, 0.1]]), [0, 2, 1], 2 / 3),
    ("accuracy", np.array([[0.7], [0.2], [0.4], [0.6]]), [1, 0, 1, 1], 0.75),
    ("accuracy", np.array([[0.7, 0.2], [0.2, 0.4]]), [[1, 0], [1, 1]], 0.5),
    ("accuracy", np.array([[[0.9, 0.1], [0.2, 0.8]]]), [[0, 0]], 0.5),
    ("mean_squared_error", ONE, [1, 1, 1, 1], (1 + 9 + 49) / 4),
    ("mean_squared_error", TWO, TWO - 1, 1),
    ("root_mean_squared_error", TWO, TWO + 2, 2),
    ("mean_absolute_error", ONE, [[0], [3], [4], [0]], 2.5),
    ("mean_absolute_percentage_error", ONE, [2, 2, 5, 4], (50 + 0 + 20 + 100) / 4),
    ("binary_accuracy", np.array([[0.7], [0.2], [0.4], [0.6]]), [1, 0, 1, 1], 0.75),
    ({"type": "binary_accuracy", "threshold": 0.3}, BITS, [1, 0, 1, 1], 1),
    ({"type": "top_k_accuracy", "k": 2}, THREE, [1, 0, 2, 1, 0], 4 / 5),
    ("top_k_accuracy", THREE, [1, 0, 2, 1, 0], 1),
    ("precision", BITS, [1, 1, 0, 1], 1),
    ("precision", BITS, [0, 0, 1, 1], 0.5),
    ("recall", BITS, [1, 1, 0, 1], 2 / 3),
    ("f1", BITS, [1, 1, 0, 1], 0.8),
    ("f1", 1 - np.ones((2, 1)), [0, 0], 0),
    ("precision", THREE, [0, 2, 0, 1, 0], (2 / 2 + 0 + 1 / 2) / 3),
    ("recall", THREE, [0, 2, 0, 1, 0], (2 / 3 + 0 + 1) / 3),
    ({"type": "recall", "average": "weighted"}, THREE, [0, 2, 0, 1, 0], 3 / 5),
    ({"type": "precision", "average": "weighted"}, THREE, [0, 2, 0, 1, 0], (3 * 1 + 0.5) / 5),
    ({"type": "f1", "average": "micro"}, THREE, [0, 2, 0, 1, 0], 3 / 5),
    ({"type": "f1", "average": "binary"}, TWO_CLASSES, [1, 0, 1], 0.8),
    ("f1", np.array([[0.9, 0.1], [0.8, 0.7]]), [[1, 0], [0, 1]], (2 / 3 + 1) / 2),
    ("dice", BITS, [1, 1, 0, 1], 0.8),
    ("dice", THREE, [0, 2, 0, 1, 0], (4 / 5 + 0 + 2 / 3) / 3),
    ("mean_iou", BITS, [1, 1, 0, 1], (2 / 3 + 1 / 2) / 2),
    ("mean_iou", THREE, [0, 2, 0, 1, 0], (2 / 3 + 0 + 1 / 2) / 3),
    ("confusion_matrix", THREE, [0, 2, 0, 1, 0], [[2, 1, 0], [0, 0, 1], [0, 0, 1]]),
    ("confusion_matrix", BITS, [1, 1, 0, 1], [[1, 0], [1, 2]]),
    ("roc_auc", BITS, [1, 0, 0, 1], 1),
    ("roc_auc", BITS, [0, 1, 0, 1], 0.25),
    ("roc_auc", np.array([[0.5], [0.5], [0.5], [0.9]]), [0, 1, 0, 1], 0.75),
    ("roc_auc", TWO_CLASSES, [1, 0, 1], 0.5),
    ("roc_auc", BITS, [1, 1, 1, 1], 0.5),
    ("log_loss", THREE, [0, 2, 0, 1, 0], -np.log([0.7, 0.5, 0.2, 0.3, 0.6]).mean()),
    ("log_loss", BITS, [1, 1, 0, 1], -np.log([0.7, 0.2, 0.6, 0.6]).mean()),
    ("log_loss", np.array([[1.0, 0.0]]), [1], -np.log(1e-15)),
    ("perplexity", np.full((3, 4), 0.25), [0, 3, 1], 4),
    ("brier", BITS, [1, 1, 0, 1], (0.09 + 0.64 + 0.16 + 0.16) / 4),
    ("brier", THREE[:1], [1], 0.49 + 0.64 + 0.01),
    ("ctc_character_error_rate", STEPS, [[1, 2], [2, -1], [1, 1]], (0 + 1 + 1) / 5),
    ("r2", ONE, [1, 2, 4, 8], 1),
    ("r2", np.full((4, 1), 3.75), [1, 2, 4, 8], 0),
    ("r2", TWO, [[1, 1], [2, 1], [4, 1], [8, 1]], 0.5),
    ("r2", np.full((3, 1), 0.1), [0.1, 0.1, 0.1], 1),
]


def title(document):
    return document if isinstance(document, str) else document["type"]


every_case = pytest.mark.parametrize(
    ("name", "predictions", "targets", "value"),
    CASES,
    ids=[f"{title(name)}-{i}" for i, (name, *_) in enumerate(CASES)],
)


@every_case
def test_it_has_the_known_value(name, predictions, targets, value):
    metric = parse(Metric, name)
    found = metric.value(metric.measure(predictions, np.array(targets)))
    assert isinstance(found, float if metric.is_number else list)
    assert np.allclose(found, value, rtol=1e-12)


@every_case
def test_batches_give_what_the_whole_gives(name, predictions, targets, value):
    metric, targets = parse(Metric, name), np.array(targets)
    for cut in range(len(targets) + 1):
        parts = [
            metric.measure(predictions[rows], targets[rows])
            for rows in (slice(0, cut), slice(cut, None))
        ]
        together = functools.reduce(metric.combine, parts)
        assert np.allclose(metric.value(together), value, rtol=1e-12)


@every_case
def test_the_document_survives_a_round_trip(name, predictions, targets, value):
    assert parse(Metric, to_document(parse(Metric, name))) == parse(Metric, name)
    assert isinstance(parse(Metric, name).greater_is_better, bool)


@every_case
def test_what_lies_under_the_mask_does_not_count(name, predictions, targets, value):
    metric, targets = parse(Metric, name), np.array(targets)
    mask = np.ones(2 * len(targets), bool)
    mask[1::2] = False
    doubled = np.repeat(predictions, 2, axis=0)
    doubled[1::2] = doubled[1::2][::-1]
    if title(name).startswith("ctc"):
        mask, doubled = np.ones(predictions.shape[:2], bool), predictions
        targets = targets[: len(targets)].repeat(1, axis=0)
    else:
        targets = np.repeat(targets, 2, axis=0)
    assert np.allclose(metric.value(metric.measure(doubled, targets, mask)), value, rtol=1e-12)


@every_case
def test_no_examples_give_a_figure_that_json_can_hold(name, predictions, targets, value):
    metric = parse(Metric, name)
    found = metric.value(metric.measure(predictions[:0], np.array(targets)[:0]))
    assert np.isfinite(found).all()


def test_every_registered_metric_has_a_row():
    assert {title(name) for name, *_ in CASES} == set(registry.units(Metric))


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
        ("accuracy", np.ones((2, 3)), np.array([1, 3]), "classes from 0 to 2, got 1 to 3"),
        ("binary_accuracy", np.ones((2, 3)), np.array([1, 0]), "use accuracy for classes"),
        ("top_k_accuracy", np.ones((2, 3)), np.ones((2, 3), int), "one class an example"),
        ({"type": "f1", "average": "binary"}, THREE, np.zeros(5, int), "two classes, got 3"),
        ("confusion_matrix", np.ones((2, 3)), np.ones((2, 3), int), "one yes-or-no output"),
        ("ctc_character_error_rate", np.ones((2, 3)), np.ones((2, 3), int), "rows of labels"),
        ("accuracy", np.ones((2, 1)), np.array([0.5, 3.0]), "needs classes, or 0 and 1"),
        ("r2", np.ones((2, 3)), np.array([1, 2]), "values of the same shape"),
    ],
)
def test_targets_that_do_not_fit_are_refused(name, predictions, targets, words):
    with pytest.raises(ValueError, match=words):
        parse(Metric, name).measure(predictions, targets)
