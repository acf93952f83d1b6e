"""JSON that other readers let pass."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadDocument, Invalid
from service.strict_json import MAX_DEPTH, loads

REFUSED = {
    b'{"a": NaN}': "NaN is not a JSON number; use null for a missing value",
    b"[Infinity]": "Infinity is not a JSON number; use null for a missing value",
    b"[-Infinity]": "-Infinity is not a JSON number; use null for a missing value",
    b"[1e999]": "1e999 is too large for a 64-bit number",
    b"[-1e999]": "-1e999 is too large for a 64-bit number",
    b'{"a": 1, "b": 2, "a": 3}': "the key 'a' stands twice in one object; keep one",
    b'{"x": {"a": 1, "a": 1}}': "the key 'a' stands twice in one object; keep one",
    b"[" + b"9" * 5000 + b"]": "a number of 5000 digits is too long",
    b"[" * 5000 + b"]" * 5000: "the body nests deeper than 64 levels",
    b'{"a":' * 65 + b"1" + b"}" * 65: "the body nests deeper than 64 levels",
}
UNREADABLE = {
    b"": "the body is empty; send a JSON document",
    b" \n": "the body is empty; send a JSON document",
    b'{"a": 1,}': "the body is not JSON: ",
    b"{'a': 1}": "the body is not JSON: Expecting property name enclosed in double quotes at line",
    b'{\n "a": oak}': "the body is not JSON: Expecting value at line 2, column 7",
    b'["open]': "the body is not JSON: Unterminated string starting at at line 1, column 2",
    b"[1] [2]": "the body is not JSON: Extra data at line 1, column 5",
    b"]]]": "the body is not JSON: Expecting value at line 1, column 1",
    b'["\xff"]': "byte 2 is not UTF-8; send the body in UTF-8",
    '["ä"]'.encode("latin-1"): "byte 2 is not UTF-8; send the body in UTF-8",
}


@pytest.mark.parametrize(("body", "words"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_is_json_to_some_is_refused(body, words):
    with pytest.raises(Invalid) as refusal:
        loads(body)
    assert not isinstance(refusal.value, BadDocument)
    assert refusal.value.mistakes[0].detail == words


@pytest.mark.parametrize(("body", "words"), UNREADABLE.items(), ids=range(len(UNREADABLE)))
def test_what_is_no_json_says_where(body, words):
    with pytest.raises(BadDocument) as refusal:
        loads(body)
    assert refusal.value.mistakes[0].detail.startswith(words.removesuffix(" at line"))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (rb'"\ud800"', ""),
        (rb'{"rows": [{"a/b": "\udfff"}]}', "/rows/0/a~1b"),
        (rb'{"rows": [{"\ud83c": 1}]}', "/rows/0"),
        (rb'["fine", "nul \u0000"]', "/1"),
    ],
)
def test_what_is_no_text_is_refused_where_it_stands(body, pointer):
    with pytest.raises(Invalid) as refusal:
        loads(body)
    mistake = refusal.value.mistakes[0]
    assert mistake.pointer == pointer
    assert (
        mistake.detail == "holds U+0000 or half of a surrogate pair, which is no text; leave it out"
    )


def test_a_whole_surrogate_pair_and_an_escaped_backslash_are_text():
    assert loads(rb'["\ud83c\udf33", "\\ud800", "\\u0000"]') == ["🌳", "\\ud800", "\\u0000"]


def test_a_document_may_nest_as_deep_as_the_limit():
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH) is not None


def test_brackets_in_texts_do_not_nest():
    assert loads(json.dumps(["[" * 100, '\\"' + "{" * 100]).encode()) == [
        "[" * 100,
        '\\"' + "{" * 100,
    ]


def test_a_number_of_the_largest_float_is_fine():
    assert loads(b"[1.7976931348623157e308, 12345678901234567890]") == [
        1.7976931348623157e308,
        12345678901234567890,
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 500_000,
        b'"' * 500_001,
        b"{" + b",".join(b'"%d":0' % number for number in range(100_000)) + b',"99999":0}',
    ],
    ids=["an unclosed string of quotes", "quotes only", "a key that is repeated at the end"],
)
def test_hostile_bodies_are_refused_in_linear_time(body):
    began = time.monotonic()
    with pytest.raises(Invalid):
        loads(body)
    assert time.monotonic() - began < 20


DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(DOCUMENTS)
def test_every_honest_document_is_read_as_it_was_meant(document):
    assert loads(json.dumps(document).encode()) == document
    assert loads(json.dumps(document, ensure_ascii=False).encode()) == document
