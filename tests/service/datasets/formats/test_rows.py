"""Inline rows: types of columns and pointers at what does not fit."""

import math

import numpy as np
import pytest

from service.datasets.formats import FormatError, parse_rows


def test_rows_become_columns_in_the_first_rows_order():
    parsed = parse_rows(
        [
            {"age": 34, "city": "Oslo", "member": True},
            {"city": None, "member": None, "age": 2.5},
            {"age": None, "city": "Oslo", "member": False},
        ]
    )
    assert parsed.schema == [
        {"name": "age", "type": "number", "shape": []},
        {"name": "city", "type": "category", "shape": []},
        {"name": "member", "type": "boolean", "shape": []},
    ]
    np.testing.assert_array_equal(parsed.columns["age"], [34, 2.5, math.nan])
    assert parsed.columns["city"].tolist() == ["Oslo", None, "Oslo"]
    np.testing.assert_array_equal(parsed.columns["member"], [1, math.nan, 0])


def test_texts_are_kept_verbatim():
    parsed = parse_rows([{"a": " NA "}, {"a": ""}, {"a": "ß"}])
    assert parsed.columns["a"].tolist() == [" NA ", "", "ß"]


def test_many_different_texts_are_text():
    parsed = parse_rows([{"a": f"name {i}"} for i in range(100)])
    assert parsed.schema[0]["type"] == "text"


def test_a_column_of_nulls_is_a_number_column():
    assert parse_rows([{"a": None}]).schema[0]["type"] == "number"


@pytest.mark.parametrize(
    ("rows", "pointer", "words"),
    [
        ([], "/rows", "there are no rows; give at least one"),
        ([{}], "/rows/0", "the row has no columns"),
        ([{"a": 1}, [1]], "/rows/1", "is a list, expected an object of columns"),
        ([{"a": 1}, None], "/rows/1", "is null, expected an object of columns"),
        ([{"a": 1, "b": 2}, {"a": 1}], "/rows/1/b", 'the column "b" is missing; write null'),
        ([{"age": 1}, {"age": 1, "agee": 1}], "/rows/1/agee", 'Did you mean "age"?'),
        ([{"": 1}], "/rows/0/", "a column has no name"),
        ([{"a\ud800": 1}], "/rows/0/a\ud800", "holds a character that is no text"),
        ([{"a": "\ud800"}], "/rows/0/a", "holds a character that is no text"),
        ([{"a": "x\0"}], "/rows/0/a", "holds a character that is no text"),
        ([{"a": 1}, {"a": [1]}], "/rows/1/a", "is a list, expected a number, a text, true, false"),
        ([{"a": {"b": 1}}], "/rows/0/a", "is an object, expected a number"),
        ([{"a": None}, {"a": 1}, {"a": "x"}], "/rows/2/a", 'is "x", but the rows above have val'),
        ([{"a": 1}, {"a": True}], "/rows/1/a", "is true, but the rows above have values of type "),
        ([{"a/b": "x"}, {"a/b": 1}], "/rows/1/a~1b", "is 1, but the rows above have values of ty"),
        ([{"a": math.inf}], "/rows/0/a", "the number is not finite"),
        ([{"a": 1}, {"a": 2**53 + 1}], "/rows/1/a", "beyond 2^53 and would lose digits"),
        ([{"a": 10**5000}], "/rows/0/a", "a number of more than 40 digits is beyond 2^53"),
    ],
)
def test_a_wrong_row_is_refused_at_its_pointer(rows, pointer, words):
    with pytest.raises(FormatError) as caught:
        parse_rows(rows)
    assert caught.value.pointer == pointer
    assert words in caught.value.detail
    caught.value.detail.encode("utf-8")
