"""Inline arrays: nested lists of one shape, and pointers at what breaks it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from service.datasets.formats import FormatError, parse_arrays


def test_arrays_become_columns_by_their_axes_and_types():
    parsed = parse_arrays(
        {"x": [[1, 2.5], [3, 4]], "n": [1, 2], "label": ["a", "b"], "flag": [True, False]}
    )
    assert parsed.schema == [
        {"name": "x", "type": "tensor", "shape": [2]},
        {"name": "n", "type": "number", "shape": []},
        {"name": "label", "type": "category", "shape": []},
        {"name": "flag", "type": "boolean", "shape": []},
    ]
    assert parsed.columns["x"].tolist() == [[1, 2.5], [3, 4]]
    assert parsed.columns["label"].tolist() == ["a", "b"]
    assert parsed.columns["flag"].tolist() == [1, 0]


@given(
    arrays(
        st.sampled_from([np.float64, np.int64, np.bool_]),
        array_shapes(min_dims=2, max_dims=5, max_side=4),
        elements={},
    ).filter(lambda values: bool(np.isfinite(values).all()))
)
def test_any_nested_list_comes_back_exactly(values):
    read = parse_arrays({"x": values.tolist()}).columns["x"]
    np.testing.assert_array_equal(read, values)
    assert read.dtype == values.dtype


def test_numbers_beyond_int64_are_read_as_floats_when_mixed_with_them():
    assert parse_arrays({"x": [[0.5], [2**62]]}).columns["x"].dtype == np.float64


@pytest.mark.parametrize(
    ("document", "pointer", "words"),
    [
        ({}, "/arrays", "there are no arrays"),
        ({"x": 3}, "/arrays/x", "is 3, expected a list of rows"),
        ({"": [1]}, "/arrays/", "an array has no name"),
        ({"x": []}, "/arrays/x", "has the shape [0] and so no values; fill it"),
        ({"x": [[], []]}, "/arrays/x", "has the shape [2, 0] and so no values"),
        ({"x": [[1, 2], [3, 4], [5, 6], [7]]}, "/arrays/x/3", "has 1 element, expected 2"),
        ({"x": [[1, 2], 3]}, "/arrays/x/1", "is 3, expected a list of 2 elements"),
        ({"x": [[[1], [2]], [[3], []]]}, "/arrays/x/1/1", "has 0 elements, expected 1"),
        ({"x": [1, [2]]}, "/arrays/x/1", "is a list, expected a single value"),
        ({"x": [[1, 2], [3, None]]}, "/arrays/x/1/1", "is null, expected numbers as in the first"),
        ({"x": [None]}, "/arrays/x/0", "is null, expected a number"),
        ({"x": [{"a": 1}]}, "/arrays/x/0", "is an object, expected a number"),
        ({"x": [1, "2"]}, "/arrays/x/1", 'is "2", expected numbers as in the first element'),
        ({"x": [1, True]}, "/arrays/x/1", "is true, expected numbers as in the first element"),
        ({"x": [["a"], ["b"]]}, "/arrays/x", "holds text in 2 dimensions"),
        ({"x": ["\ud800"]}, "/arrays/x", "characters that are no text"),
        ({"x": [[1.0], [math.inf]]}, "/arrays/x/1/0", "too large for a 64-bit number"),
        ({"x": [[1.0], [math.nan]]}, "/arrays/x/1/0", "too large for a 64-bit number"),
        ({"x": [[1], [10**400]]}, "/arrays/x/1/0", "a number of more than 40 digits, too large"),
        ({"x": [[1], [2**64]]}, "/arrays/x/1/0", "too large for a 64-bit number"),
        ({"x": [1, 2**53 + 1]}, "/arrays/x", "beyond 2^53"),
        ({"x": [1, 2], "y": [1]}, "/arrays", 'different numbers of rows: "x" has 2, "y" has 1'),
    ],
)
def test_a_wrong_array_is_refused_at_its_pointer(document, pointer, words):
    with pytest.raises(FormatError) as caught:
        parse_arrays(document)
    assert caught.value.pointer == pointer
    assert words in caught.value.detail


def test_deep_nesting_is_refused_without_recursion():
    nested = 1
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(FormatError, match="is nested deeper than 8 levels"):
        parse_arrays({"x": nested})


def test_a_long_text_does_not_widen_the_others():
    texts = ["x" * 1_000_000] + ["y"] * 1000
    assert parse_arrays({"x": texts}).columns["x"].tolist() == texts
