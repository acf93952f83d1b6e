"""Rows for training, validation and test."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncore.preprocessing import split_rows

fractions = st.tuples(st.floats(0, 0.49), st.floats(0, 0.49))


@given(st.integers(1, 300), fractions, st.integers(0, 2**64), st.integers(0, 5))
def test_the_parts_cover_all_rows_once_and_have_the_rounded_sizes(n, parts, seed, classes):
    stratify = np.arange(n) % classes if classes else None
    train, validation, test = split_rows(n, parts, seed, stratify)
    together = np.concatenate([train, validation, test])
    assert sorted(together.tolist()) == list(range(n))
    assert len(train) >= 1
    if n > 2:
        assert abs(len(validation) - n * parts[0]) <= 0.5 + 1e-9
        assert abs(len(test) - n * parts[1]) <= 0.5 + 1e-9


def test_the_same_seed_gives_the_same_rows_and_another_gives_others():
    first, again, other = (split_rows(100, (0.2, 0.1), seed) for seed in (7, 7, 8))
    assert [part.tolist() for part in first] == [part.tolist() for part in again]
    assert first[0].tolist() != other[0].tolist()
    assert [len(part) for part in first] == [70, 20, 10]


def test_the_rows_of_a_seed_never_change():
    parts = split_rows(12, (0.25, 0.25), 0)
    assert [part.tolist() for part in parts] == [[0, 1, 2, 4, 6, 8], [7, 9, 11], [3, 5, 10]]


def test_parts_are_sorted():
    for part in split_rows(50, (0.3, 0.3), 1):
        assert part.tolist() == sorted(part.tolist())
        assert part.dtype == np.int64


def test_stratified_parts_keep_the_share_of_each_class():
    classes = np.repeat([0, 1, 2], [700, 200, 100])
    train, validation, test = split_rows(1000, (0.2, 0.1), 3, classes)
    assert np.bincount(classes[train]).tolist() == [490, 140, 70]
    assert np.bincount(classes[validation]).tolist() == [140, 40, 20]
    assert np.bincount(classes[test]).tolist() == [70, 20, 10]


def test_a_class_of_one_row_stays_in_training():
    classes = np.array([0] * 50 + [1] * 49 + [2])
    train, _, _ = split_rows(100, (0.2, 0.1), 0, classes)
    assert 99 in train


def test_stratified_rows_are_drawn_by_the_seed():
    classes = np.arange(100) % 2
    drawn = {tuple(split_rows(100, (0.2, 0.0), seed, classes)[1]) for seed in range(5)}
    assert len(drawn) == 5


@pytest.mark.parametrize("parts", [(0.5, 0.5), (1.0, 0.0), (-0.1, 0.0), (0.0, float("nan"))])
def test_fractions_that_leave_no_training_rows_are_refused(parts):
    with pytest.raises(ValueError, match="together less than 1"):
        split_rows(10, parts, 0)


def test_no_rows_cannot_be_split():
    with pytest.raises(ValueError, match="there are no rows to split"):
        split_rows(0, (0.2, 0.0), 0)
