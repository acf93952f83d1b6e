"""Columns to bytes and back."""

import math

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from service.store.columns import decode_columns, encode_columns, head, read_schema


def objects(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


def entry(name, kind, shape=()):
    return {"name": name, "type": kind, "shape": list(shape)}


@pytest.fixture
def stored():
    columns = {
        "zeta": np.array([1.0, math.nan, 2.5]),
        "city": objects("Oslo", None, "Köln 🌍"),
        "alpha": np.array([1.0, 0.0, math.nan]),
        "image": np.arange(12, dtype=np.uint8).reshape(3, 2, 2),
        "story": objects("", "a\nb", "c"),
    }
    kinds = ["number", "category", "boolean", "tensor", "text"]
    schema = [
        entry(name, kind, values.shape[1:])
        for (name, values), kind in zip(columns.items(), kinds, strict=True)
    ]
    return encode_columns(columns, schema), columns, schema


def test_all_columns_come_back_in_order(stored):
    data, columns, schema = stored
    decoded = decode_columns(data)
    assert list(decoded) == list(columns)
    assert read_schema(data) == schema
    for name, values in columns.items():
        assert decoded[name].dtype == values.dtype
        np.testing.assert_array_equal(decoded[name], values)


def test_only_the_asked_columns_are_read_in_the_asked_order(stored):
    data, _, _ = stored
    assert list(decode_columns(data, ["story", "zeta"])) == ["story", "zeta"]
    with pytest.raises(KeyError):
        decode_columns(data, ["other"])


def test_numbers_are_views_of_the_buffer(stored):
    data, _, _ = stored
    zeta = decode_columns(memoryview(data), ["zeta"])["zeta"]
    assert not zeta.flags.owndata
    assert zeta.flags.aligned


def test_profile_facts_are_not_stored_with_the_schema():
    facts = entry("x", "number") | {"min": 1.0}
    assert read_schema(encode_columns({"x": np.ones(2)}, [facts])) == [entry("x", "number")]


def test_the_head_is_json_rows(stored):
    data, _, _ = stored
    assert head(data, 2) == [
        {"zeta": 1, "city": "Oslo", "alpha": True, "image": [[0, 1], [2, 3]], "story": ""},
        {"zeta": None, "city": None, "alpha": False, "image": [[4, 5], [6, 7]], "story": "a\nb"},
    ]
    assert type(head(data, 1)[0]["zeta"]) is int
    assert len(head(data, 100)) == 3
    assert head(data, 3)[2]["alpha"] is None
    assert head(data, 0) == []


def test_any_reader_of_safetensors_reads_the_buffer(stored):
    data, columns, _ = stored
    tensors = safetensors.numpy.load(data)
    np.testing.assert_array_equal(tensors["0.values"], columns["zeta"])
    np.testing.assert_array_equal(tensors["3.values"], columns["image"])
    assert tensors["1.missing"].tolist() == [False, True, False]
    assert tensors["1.offsets"].tolist() == [0, 4, 4, 14]


def test_a_name_may_be_anything():
    columns = {name: np.ones(1) for name in ("__metadata__", "0.values", "ä/~", "")}
    data = encode_columns(columns, [entry(name, "number") for name in columns])
    assert list(decode_columns(data)) == list(columns)


def test_a_dtype_without_a_place_in_the_format_is_refused():
    with pytest.raises(ValueError, match="dtype complex128 cannot be stored"):
        encode_columns({"x": np.ones(2, complex)}, [entry("x", "tensor")])


@given(
    arrays(
        st.sampled_from(["?", "i1", "u1", "i2", "u2", "f2", "i4", "u4", "f4", "i8", "u8", "f8"]),
        array_shapes(max_dims=4, max_side=5, min_side=0),
    ),
    st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8"))), max_size=8),
)
def test_any_array_and_any_texts_round_trip_exactly(values, texts):
    schema = [entry("t", "text"), entry("x", "tensor", values.shape[1:])]
    data = encode_columns({"x": values, "t": objects(*texts)}, schema)
    decoded = decode_columns(data)
    assert decoded["t"].tolist() == texts
    assert decoded["x"].dtype == values.dtype
    assert decoded["x"].shape == values.shape
    assert decoded["x"].tobytes() == values.tobytes()
    assert set(safetensors.numpy.load(data)) >= {"1.values"}
