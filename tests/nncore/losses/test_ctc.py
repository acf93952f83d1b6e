"""CTC against the sum over every way to write the labels, one by one."""

import itertools

import numpy as np
import pytest

from nncore.documents import parse
from nncore.losses import Loss


def collapsed(path, blank):
    """The labels that a way stands for: repetitions merged, then blanks dropped."""
    return [label for label, _ in itertools.groupby(path) if label != blank]


def enumerated(logits, labels, blank):
    """-log of the summed probabilities of all ways, logits (T, C)."""
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    steps, classes = logits.shape
    total = sum(
        np.prod(shares[np.arange(steps), list(path)])
        for path in itertools.product(range(classes), repeat=steps)
        if collapsed(path, blank) == list(labels)
    )
    return -np.log(total)


@pytest.mark.parametrize("blank", [0, 1, 2])
@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_it_sums_over_every_way(steps, blank):
    first, second = (label for label in range(3) if label != blank)
    rng = np.random.default_rng(steps)
    loss = parse(Loss, {"type": "ctc", "blank": blank})
    rows = [[], [first], [second, first], [first, first], [first, second, first]]
    for labels in rows:
        repeats = sum(a == b for a, b in itertools.pairwise(labels))
        if len(labels) + repeats > steps:
            continue
        logits = rng.normal(size=(1, steps, 3))
        padded = np.array([labels + [-1] * (3 - len(labels))])
        found, _ = loss.forward(logits, padded, 1)
        assert found == pytest.approx(enumerated(logits[0], labels, blank), rel=1e-12, abs=1e-14)


def test_a_mask_gives_each_example_its_own_length():
    rng, loss = np.random.default_rng(0), parse(Loss, "ctc")
    logits, labels = rng.normal(size=(2, 6, 3)), np.array([[1, 2], [2, -1]])
    mask = np.array([[True] * 4 + [False] * 2, [False] * 3 + [True] * 3])
    found, slopes = loss.forward(logits, labels, 2, None, mask)
    expected = [enumerated(logits[0, :4], [1, 2], 0), enumerated(logits[1, 3:], [2], 0)]
    assert found == pytest.approx(np.mean(expected), rel=1e-12)
    assert not slopes[~mask].any()


def test_long_sequences_lose_no_digits():
    steps = 2000
    loss = parse(Loss, "ctc")
    found, _ = loss.forward(np.zeros((1, steps, 2)), np.array([[1]]), 1)
    # T (T + 1) / 2 runs of the one label, each of probability 2^-T.
    exact = steps * np.log(2) - np.log(steps * (steps + 1) / 2)
    assert found == pytest.approx(exact, rel=1e-12)


def test_labels_that_do_not_fit_cost_infinity_or_nothing():
    logits, labels = np.zeros((2, 2, 3)), np.array([[1, 1], [1, 2]])
    assert parse(Loss, "ctc").forward(logits, labels, 2)[0] == np.inf
    lenient = parse(Loss, {"type": "ctc", "zero_infinity": True})
    found, slopes = lenient.forward(logits, labels, 2)
    assert found == pytest.approx(np.log(9) / 2)
    assert not slopes[0].any()
    assert np.isfinite(slopes).all()
