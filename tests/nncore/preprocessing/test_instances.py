"""JSON instances of a prediction request, checked against the fitted input."""

import math

import numpy as np
import pytest

from nncore.preprocessing import InputEncoder, InstanceError, encode_instances

CITIES = np.array(["Oslo", "Bonn", "Oslo"], object)


@pytest.fixture
def table():
    columns = {"age": np.array([1.0, 2.0, 3.0]), "city": CITIES, "member": np.array([0.0, 1, 1])}
    types = {"age": "number", "city": "category", "member": "boolean"}
    return InputEncoder.fit(columns, types)


@pytest.fixture
def image():
    return InputEncoder.fit({"x": np.arange(12).reshape(2, 3, 2)}, {"x": "tensor"})


def refusal(instances, encoder):
    with pytest.raises(InstanceError) as caught:
        encode_instances(instances, encoder)
    return caught.value


def test_instances_of_a_table_replay_the_training_encoding(table):
    rows = [{"age": 2, "city": "Oslo", "member": True}, {"member": 0, "city": "Bonn", "age": 3.0}]
    encoded = table.transform(encode_instances(rows, table))
    assert encoded.tolist() == [[0, 0, 1, 1], [pytest.approx(1.2247449), 1, 0, 0]]


def test_null_is_filled_as_in_training(table):
    encoded = table.transform(encode_instances([dict.fromkeys(table.names)], table))
    assert encoded.tolist() == [[0, 0, 0, pytest.approx(2 / 3)]]


@pytest.mark.parametrize("name", ["age", "city", "member"])
def test_null_is_refused_where_training_refused_missing_values(name):
    columns = {"age": np.ones(3), "city": CITIES, "member": np.ones(3)}
    types = {"age": "number", "city": "category", "member": "boolean"}
    encoder = InputEncoder.fit(columns, types, {"missing": "error"})
    row = {"age": 1, "city": "Oslo", "member": True} | {name: None}
    error = refusal([row], encoder)
    assert error.pointer == f"/instances/0/{name}"
    assert 'trained with "missing": "error"' in error.detail


@pytest.mark.parametrize(
    ("change", "pointer", "words"),
    [
        ({"age": "34"}, "age", 'is "34", expected a number; leave the quotes out'),
        ({"age": "old"}, "age", 'is "old", expected a number'),
        ({"age": True}, "age", "is true, expected a number"),
        ({"age": [1]}, "age", "is a list, expected a number"),
        ({"age": math.nan}, "age", "NaN and Infinity are refused"),
        ({"age": math.inf}, "age", "NaN and Infinity are refused"),
        ({"age": 10**400}, "age", "NaN and Infinity are refused"),
        ({"age": 1e300}, "age", "the number is too large"),
        ({"city": "Olso"}, "city", 'unknown category "Olso"; the categories are "Bonn", "Oslo".'),
        ({"city": 7}, "city", 'is 7, expected text; the categories are "Bonn", "Oslo"'),
        ({"city": "\ud800"}, "city", 'unknown category "?"'),
        ({"member": 2}, "member", "is 2, expected true or false"),
        ({"member": "true"}, "member", 'is "true", expected true or false'),
        ({"aeg": 1}, "aeg", 'unknown column; the columns are "age", "city", "member". Did you mea'),
        ({"a/b~c": 1}, "a~1b~0c", "unknown column"),
    ],
)
def test_a_wrong_value_is_refused_at_its_pointer(table, change, pointer, words):
    right = {"age": 1, "city": "Oslo", "member": True}
    error = refusal([right, right | change], table)
    assert error.pointer == f"/instances/1/{pointer}"
    assert words in error.detail
    error.detail.encode("utf-8")


def test_a_missing_column_is_named(table):
    error = refusal([{"age": 1, "member": True}], table)
    assert error.pointer == "/instances/0/city"
    assert 'the column "city" is missing; write null where its value is unknown' in error.detail


@pytest.mark.parametrize("instance", [[1, "Oslo", True], 3, None, "Oslo"])
def test_an_instance_of_a_table_must_be_an_object(table, instance):
    error = refusal([instance], table)
    assert error.pointer == "/instances/0"
    assert 'must be an object of the columns "age", "city", "member"' in error.detail


def test_many_unknown_categories_are_shortened():
    names = np.array([f"c{i:03}" for i in range(500)], object)
    encoder = InputEncoder.fit({"c": names}, {"c": "category"})
    error = refusal([{"c": "x" * 1000}], encoder)
    assert "... (500 in all)" in error.detail
    assert len(error.detail) < 250


def test_instances_of_a_tensor_are_nested_lists(image):
    columns = encode_instances([[[0, 1], [2, 3], [4, 5]]], image)
    assert columns["x"].tolist() == [[[0, 1], [2, 3], [4, 5]]]
    assert image.transform(columns).shape == (1, 3, 2)


@pytest.mark.parametrize(
    ("instance", "pointer", "words"),
    [
        ([1, 2, 3], "", "has shape [3], expected [3, 2]"),
        ([[[1, 2], [3, 4], [5, 6]]], "", "has shape [1, 3, 2], expected [3, 2]"),
        ([], "", "has shape [0], expected [3, 2]"),
        (1, "", "is 1, expected a nested list of shape [3, 2]"),
        ({"x": [1]}, "", "is an object, expected a nested list of shape [3, 2]"),
        ([[1, 2], [3], [5, 6]], "/1", "has 1 element, expected 2"),
        ([[1, 2], 3, [5, 6]], "/1", "is 3, expected a list of 2 elements"),
        ([[1, 2], [3, [4]], [5, 6]], "/1/1", "is a list, expected a single value"),
        ([[1, 2], [3, None], [5, 6]], "/1/1", "is null, expected a number"),
        ([[1, 2], [3, True], [5, 6]], "/1/1", "is true, expected a number"),
        ([[1, 2], [3, "4"], [5, 6]], "/1/1", 'is "4", expected a number; leave the quotes out'),
        ([[1, 2], [3, 4], [math.nan, 6]], "/2/0", "NaN and Infinity are refused"),
        ([[1, 2], [3, 4], [10**400, 6]], "/2/0", "NaN and Infinity are refused"),
        ([[1, 2], [3, 4], [1e300, 6]], "/2/0", "the number is too large"),
    ],
)
def test_a_wrong_tensor_is_refused_at_its_first_wrong_element(image, instance, pointer, words):
    error = refusal([[[0, 1], [2, 3], [4, 5]], instance], image)
    assert error.pointer == f"/instances/1{pointer}"
    assert words in error.detail


def test_deep_nesting_is_refused_without_recursion(image):
    nested = 1
    for _ in range(100_000):
        nested = [nested]
    error = refusal([nested], image)
    assert "is nested deeper than 8 levels" in error.detail


def test_no_instances_give_empty_columns(table, image):
    assert table.transform(encode_instances([], table)).shape == (0, 4)
    assert image.transform(encode_instances([], image)).shape == (0, 3, 2)
