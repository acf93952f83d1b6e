"""Fitting the input encoding, replaying it, and keeping it as JSON."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nncore.preprocessing import InputEncoder, PreprocessingError
from nncore.preprocessing.features import CategoryFeature

NAN = math.nan
NUMBERS = st.floats(-1e30, 1e30)


def objects(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


@pytest.fixture
def table():
    return {
        "age": np.array([10.0, 20.0, NAN, 90.0]),
        "city": objects("Oslo", None, "Bonn", "Oslo"),
        "member": np.array([0.0, 1.0, NAN, 1.0]),
    }


TYPES = {"age": "number", "city": "category", "member": "boolean"}


def test_a_table_becomes_one_float32_matrix_in_column_order(table):
    encoder = InputEncoder.fit(table, TYPES, {"scale": "none", "missing": "zero"})
    encoded = encoder.transform(table)
    assert encoded.dtype == np.float32
    assert encoder.shape == (encoder.width,) == (4,)
    assert encoded.tolist() == [[10, 0, 1, 0], [20, 0, 0, 1], [0, 1, 0, 0], [90, 0, 1, 1]]


def test_numbers_are_standardised_on_the_training_rows_only(table):
    encoder = InputEncoder.fit(table, TYPES, rows=np.array([0, 1]))
    assert encoder.transform(table)[:, 0].tolist() == [-1, 1, 0, 15]


def test_min_max_brings_the_training_rows_to_0_and_1(table):
    options = {"columns": {"age": {"scale": "min_max"}}}
    encoder = InputEncoder.fit(table, TYPES, options, rows=np.array([0, 1]))
    assert encoder.transform(table)[:, 0].tolist() == [0, 1, 0.5, 8]


def test_missing_takes_the_mean_of_the_training_rows(table):
    encoder = InputEncoder.fit(table, TYPES, {"scale": "none"}, rows=np.array([0, 1, 2]))
    assert encoder.transform(table)[2].tolist() == [15, 1, 0, 0.5]


def test_missing_may_be_an_error_that_names_row_and_mend(table):
    with pytest.raises(PreprocessingError) as caught:
        InputEncoder.fit(table, TYPES, {"columns": {"age": {"missing": "error"}}})
    assert caught.value.pointer == "/columns/age/missing"
    assert "1 missing values, the first in row 3" in caught.value.detail


@pytest.mark.parametrize("scale", ["standard", "min_max"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 / 3])
def test_a_constant_column_scales_by_one(scale, value):
    columns = {"x": np.full(7, value)}
    encoder = InputEncoder.fit(columns, {"x": "number"}, {"scale": scale})
    assert encoder.features[0].divisor == 1
    assert np.abs(encoder.transform(columns)).max() < 1e-6


def test_a_column_without_any_value_encodes_to_zero():
    columns = {"x": np.full(3, NAN)}
    assert InputEncoder.fit(columns, {"x": "number"}).transform(columns).tolist() == [[0]] * 3


def test_categories_keep_the_given_order(table):
    city = {"type": "category", "categories": ["Rome", "Oslo", "Bonn"]}
    encoder = InputEncoder.fit({"city": table["city"]}, {"city": city})
    assert encoder.transform(table).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_an_unknown_category_is_refused_with_the_known_ones():
    feature = CategoryFeature("city", "mean", ("Bonn", "Oslo"))
    with pytest.raises(PreprocessingError, match=r'unknown category "Rome".*"Bonn", "Oslo"'):
        feature.indices(objects("Oslo", "Rome"))


def test_a_tensor_of_two_axes_is_scaled_per_column():
    x = np.array([[0, 10], [2, 30]], np.uint8)
    encoder = InputEncoder.fit({"x": x}, {"x": "tensor"})
    assert encoder.shape == (2,)
    assert encoder.transform({"x": x}).tolist() == [[-1, -1], [1, 1]]


@pytest.mark.parametrize(("channels_last", "scales"), [(False, 1), (True, 3)])
def test_an_image_tensor_is_scaled_as_a_whole_or_per_channel(channels_last, scales):
    x = np.random.default_rng(0).integers(0, 255, (5, 4, 4, 3)).astype(np.uint8)
    encoder = InputEncoder.fit({"x": x}, {"x": "tensor"}, {"channels_last": channels_last})
    encoded = encoder.transform({"x": x})
    assert encoded.shape == x.shape
    assert encoded.dtype == np.float32
    assert len(encoder.tensor.offset) == scales
    axes = (0, 1, 2) if channels_last else None
    np.testing.assert_allclose(encoded.mean(axis=axes), 0, atol=1e-6)
    np.testing.assert_allclose(encoded.std(axis=axes), 1, atol=1e-6)


def test_scaling_in_parts_equals_scaling_at_once(monkeypatch):
    x = np.random.default_rng(1).normal(3, 5, (40, 6))
    monkeypatch.setattr("nncore.preprocessing.scaling.CHUNK_ELEMENTS", 13)
    encoded = InputEncoder.fit({"x": x}, {"x": "tensor"}).transform({"x": x})
    expected = (x - x.mean(axis=0)) / x.std(axis=0)
    np.testing.assert_allclose(encoded, expected, atol=1e-6)


def test_a_tensor_of_another_shape_is_refused():
    encoder = InputEncoder.fit({"x": np.zeros((3, 2, 2))}, {"x": "tensor"})
    with pytest.raises(PreprocessingError, match=r"has shape \[4\] per row, expected \[2, 2\]"):
        encoder.transform({"x": np.zeros((3, 4))})


def test_two_inputs_of_which_one_is_a_tensor_are_refused():
    columns = {"x": np.zeros((3, 2)), "y": np.zeros(3)}
    with pytest.raises(PreprocessingError, match=r'"x" is an array .* must be the only input'):
        InputEncoder.fit(columns, {"x": "tensor", "y": "number"})


def test_text_cannot_be_a_feature():
    with pytest.raises(PreprocessingError, match='type "text" cannot be a feature') as caught:
        InputEncoder.fit({"name": objects("a")}, {"name": "text"})
    assert caught.value.pointer == "/columns/name"


@pytest.mark.parametrize(
    ("options", "pointer", "words"),
    [
        ({"scale": "log"}, "/scale", '"log" is not a choice; choose "none", "standard"'),
        ({"sclae": "none"}, "/sclae", 'Did you mean "scale"?'),
        ({"columns": {"aeg": {}}}, "/columns/aeg", 'Did you mean "age"?'),
        ({"columns": {"age": {"missing": 3}}}, "/columns/age/missing", "3 is not a choice"),
        ({"columns": {"age": "none"}}, "/columns/age", "must be an object"),
        ({"columns": {"city": {"scale": "none"}}}, "/columns/city/scale", "has no scale"),
        ({"columns": {"member": {"scale": "none"}}}, "/columns/member/scale", "has no scale"),
        ({"channels_last": 1}, "/channels_last", "must be true or false"),
    ],
)
def test_a_wrong_option_is_refused_at_its_pointer(table, options, pointer, words):
    with pytest.raises(PreprocessingError) as caught:
        InputEncoder.fit(table, TYPES, options)
    assert caught.value.pointer == pointer
    assert words in caught.value.detail


def test_the_whole_features_document_of_a_job_is_accepted(table):
    InputEncoder.fit(table, TYPES, {"include": ["age", "city", "member"], "scale": "none"})


@pytest.mark.parametrize("values", [np.array([0, 1e300]), np.array([1e308, -1e308, 1e308])])
def test_numbers_too_large_to_encode_are_refused(values):
    with pytest.raises(PreprocessingError, match="too large"):
        InputEncoder.fit({"x": values}, {"x": "number"}, {"scale": "none"}).transform({"x": values})


def test_the_fitted_encoding_survives_json_exactly(table):
    encoder = InputEncoder.fit(table, TYPES, rows=np.array([0, 1, 3]))
    again = InputEncoder.from_document(json.loads(json.dumps(encoder.to_document())))
    assert again == encoder
    np.testing.assert_array_equal(again.transform(table), encoder.transform(table))


@given(
    arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=NUMBERS),
    st.sampled_from(["none", "standard", "min_max"]),
)
def test_any_finite_table_of_floats_survives_json_exactly(matrix, scale):
    columns = {f"c{i}": column for i, column in enumerate(matrix.T)}
    encoder = InputEncoder.fit(columns, dict.fromkeys(columns, "number"), {"scale": scale})
    document = json.dumps(encoder.to_document(), allow_nan=False)
    assert InputEncoder.from_document(json.loads(document)) == encoder


@pytest.mark.parametrize("document", [{}, {"features": [{"type": "other"}]}, {"features": [{}]}])
def test_a_foreign_document_is_refused(document):
    with pytest.raises(ValueError, match="not the document of a fitted"):
        InputEncoder.from_document(document)
