"""What the profile says of each type of column."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.datasets.profile import DISTINCT_CAP, profile_columns


def profile(values, kind):
    schema = [{"name": "x", "type": kind, "shape": list(values.shape[1:])}]
    (facts,) = profile_columns({"x": values}, schema)
    json.dumps(facts, allow_nan=False)
    return facts


def objects(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


def test_a_number_column_tells_its_range_and_moments():
    assert profile(np.array([1.0, 3.0, math.nan, 3.0]), "number") == {
        "name": "x",
        "type": "number",
        "shape": [],
        "missing": 1,
        "min": 1,
        "max": 3,
        "mean": pytest.approx(7 / 3),
        "std": pytest.approx(math.sqrt(8) / 3),
        "integer": True,
        "distinct": 2,
        "distinct_exact": True,
    }


def test_fractions_make_a_column_not_integer():
    assert not profile(np.array([1.0, 2.5]), "number")["integer"]


def test_distinct_numbers_are_counted_up_to_a_cap():
    facts = profile(np.arange(DISTINCT_CAP + 1.0), "number")
    assert facts["distinct"] == DISTINCT_CAP
    assert not facts["distinct_exact"]


def test_a_column_of_missing_numbers_has_no_statistics():
    facts = profile(np.full(3, math.nan), "number")
    assert facts["missing"] == 3
    assert facts["min"] is facts["mean"] is facts["std"] is None
    assert facts["distinct"] == 0


@given(st.lists(st.floats(allow_infinity=False), min_size=1, max_size=10))
def test_the_profile_of_any_numbers_is_finite_json(values):
    facts = profile(np.array(values), "number")
    assert facts["missing"] == sum(map(math.isnan, values))


def test_a_category_column_lists_sorted_categories_with_counts():
    facts = profile(objects("b", "a", None, "b"), "category")
    assert facts["missing"] == 1
    assert facts["distinct"] == 2
    assert facts["categories"] == ["a", "b"]
    assert facts["counts"] == [1, 2]


def test_a_boolean_column_counts_false_and_true():
    facts = profile(np.array([1.0, 0.0, 1.0, math.nan]), "boolean")
    assert facts["categories"] == [False, True]
    assert facts["counts"] == [1, 2]
    assert facts["missing"] == 1


def test_a_text_column_tells_its_lengths():
    facts = profile(objects("ab", "abcd", None, "ab"), "text")
    assert facts["distinct"] == 2
    assert (facts["min_length"], facts["mean_length"], facts["max_length"]) == (2, 8 / 3, 4)
    assert profile(objects(None), "text")["mean_length"] is None


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float64, np.int64, np.bool_])
def test_a_tensor_tells_dtype_and_range(dtype):
    facts = profile(np.array([[0, 1], [1, 0]], dtype), "tensor")
    assert facts["shape"] == [2]
    assert facts["dtype"] == np.dtype(dtype).name
    assert (facts["min"], facts["max"], facts["mean"], facts["missing"]) == (0, 1, 0.5, 0)
