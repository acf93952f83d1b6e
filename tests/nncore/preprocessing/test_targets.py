"""Targets: labels as indices, standardised numbers, and the way back."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nncore.preprocessing import PreprocessingError, TargetEncoder


def objects(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


def through_json(encoder):
    return TargetEncoder.from_document(json.loads(json.dumps(encoder.to_document())))


@pytest.mark.parametrize(
    ("values", "column_type", "labels"),
    [
        (np.array([10.0, 2.0, 10.0]), "number", [2, 10]),
        (np.array([0.5, 2.0, 1.0]), "number", [0.5, 1.0, 2.0]),
        (np.array([1.0, 0.0, 1.0]), "boolean", [False, True]),
        (objects("b", "a", "10", "2"), "category", ["10", "2", "a", "b"]),
        (np.array([[3], [1], [2]], np.int8), "tensor", [1, 2, 3]),
        (np.array([[True], [False]]), "tensor", [False, True]),
    ],
)
def test_labels_keep_their_json_type_and_are_sorted(values, column_type, labels):
    encoder = TargetEncoder.fit("classes", values, column_type)
    assert list(encoder.labels) == labels
    assert [type(label) for label in encoder.labels] == [type(label) for label in labels]
    assert through_json(encoder) == encoder
    assert [type(label) for label in through_json(encoder).labels] == [type(x) for x in labels]


@pytest.mark.parametrize("values", [np.array([7.0, 3.0, 7.0]), objects("y", "x", "y")])
def test_classes_are_indices_and_come_back_as_labels(values):
    encoder = TargetEncoder.fit("classes", values)
    indices = encoder.encode(values)
    assert indices.dtype == np.int64
    assert indices.tolist() == [1, 0, 1]
    assert encoder.decode(indices).tolist() == values.tolist()


def test_scores_are_decoded_by_their_largest():
    encoder = TargetEncoder.fit("classes", objects("a", "b", "c"))
    assert encoder.decode(np.array([[0.1, 2, 1], [3, 2, 1]])).tolist() == ["b", "a"]


def test_a_mask_of_labels_keeps_its_shape_and_a_single_column_loses_it():
    mask = np.array([[[0, 5], [5, 9]]], np.uint8)
    encoded = TargetEncoder.fit("classes", mask, "tensor").encode(mask)
    assert encoded.tolist() == [[[0, 1], [1, 2]]]
    column = np.array([[4], [6]])
    assert TargetEncoder.fit("classes", column, "tensor").encode(column).tolist() == [0, 1]


def test_binary_gives_one_column_of_0_and_1():
    encoder = TargetEncoder.fit("binary", objects("no", "yes", "no"))
    encoded = encoder.encode(objects("yes", "no"))
    assert encoded.dtype == np.float32
    assert encoded.tolist() == [[1], [0]]
    assert encoder.decode(np.array([[0.7], [0.2]])).tolist() == ["yes", "no"]
    assert through_json(encoder) == encoder


def test_standard_is_fitted_on_the_training_rows_and_answers_in_the_own_unit():
    values = np.array([10.0, 30.0, 1000.0])
    encoder = TargetEncoder.fit("standard", values, rows=np.array([0, 1]))
    assert encoder.encode(values).tolist() == [[-1], [1], [98]]
    assert encoder.encode(values).dtype == np.float32
    assert encoder.decode(encoder.encode(values)).ravel().tolist() == values.tolist()


def test_each_output_is_standardised_by_itself():
    values = np.array([[0, 100], [2, 300]], np.float32)
    encoder = TargetEncoder.fit("standard", values, "tensor")
    assert encoder.mean == (1, 200)
    assert encoder.encode(values).tolist() == [[-1, -1], [1, 1]]


def test_identity_only_changes_the_type():
    encoder = TargetEncoder.fit("identity", np.array([1.5, 2.5]))
    assert encoder.encode(np.array([1.5, 2.5])).tolist() == [[1.5], [2.5]]
    assert through_json(encoder) == encoder == TargetEncoder("identity")


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("classes", np.array([1.0, math.nan, math.nan]), "missing in 2 rows, the first of them ro"),
        ("classes", objects("a", None), "missing in 1 rows, the first of them row 2"),
        ("classes", objects("a", "a"), 'only the label "a"; a classifier needs two or more'),
        ("binary", objects("a", "b", "c"), '3 labels ("a", "b", "c"), expected two'),
        ("standard", objects("a", "b"), "holds text, but a regression needs numbers"),
        ("identity", objects("a", "b"), "holds text, but a regression needs numbers"),
        ("standard", np.array([1e308, -1e308, 1e308]), "too large"),
    ],
)
def test_a_target_that_does_not_fit_is_refused(kind, values, words):
    with pytest.raises(PreprocessingError) as caught:
        TargetEncoder.fit(kind, values)
    assert words in caught.value.detail


@pytest.mark.parametrize(
    ("known", "other", "shown"),
    [(objects("a", "b"), objects("c"), '"c"'), (np.array([1.0, 2.0]), np.array([9.0]), "9.0")],
)
def test_an_unknown_label_is_refused(known, other, shown):
    with pytest.raises(PreprocessingError, match=f"unknown label {shown}; the labels are"):
        TargetEncoder.fit("classes", known).encode(other)


@pytest.mark.parametrize("document", [{}, {"kind": "other"}, {"kind": "classes", "extra": 1}])
def test_a_foreign_document_is_refused(document):
    with pytest.raises(ValueError, match=r"unknown kind of target|not the document"):
        TargetEncoder.from_document(document)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_standard_round_trips_within_float32(values):
    column = np.array(values)
    encoder = TargetEncoder.fit("standard", column)
    again = through_json(encoder)
    assert again == encoder
    spread = np.abs(column).max() + 1
    decoded = again.decode(again.encode(column)).ravel()
    np.testing.assert_allclose(decoded, column, atol=1e-5 * spread)


@given(st.lists(st.text(max_size=5), min_size=2, max_size=20, unique=True))
def test_labels_of_any_text_round_trip(labels):
    values = objects(*labels)
    encoder = TargetEncoder.fit("classes", values)
    assert through_json(encoder).decode(encoder.encode(values)).tolist() == labels
