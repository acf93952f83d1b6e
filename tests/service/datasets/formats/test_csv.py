"""CSV files: types of columns, delimiters, encodings, and errors with line and column."""

import contextlib
import csv
import gzip
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.datasets.formats import FormatError, ParseOptions, csv_reader, parse_file


def parse(text, name="data.csv", **options):
    data = text if isinstance(text, bytes) else text.encode()
    return parse_file(data, name, None, ParseOptions(**options))


def refusal(text, name="data.csv", **options):
    with pytest.raises(FormatError) as caught:
        parse(text, name, **options)
    return caught.value


def types(parsed):
    return {entry["name"]: entry["type"] for entry in parsed.schema}


def test_a_table_gets_a_type_per_column():
    parsed = parse("age,city,member\n34,Oslo,true\n,Bonn,FALSE\n2.5e1,Oslo,\n")
    assert parsed.format == "csv"
    assert parsed.rows == 3
    assert parsed.schema == [
        {"name": "age", "type": "number", "shape": []},
        {"name": "city", "type": "category", "shape": []},
        {"name": "member", "type": "boolean", "shape": []},
    ]
    np.testing.assert_array_equal(parsed.columns["age"], [34, math.nan, 25])
    assert parsed.columns["city"].tolist() == ["Oslo", "Bonn", "Oslo"]
    np.testing.assert_array_equal(parsed.columns["member"], [1, 0, math.nan])


@pytest.mark.parametrize(
    "marker", ["", " ", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", " NA "]
)
def test_missing_markers_are_understood_in_every_type(marker):
    parsed = parse(f"n,c,b\n1,x,true\n{marker},{marker},{marker}\n3,x,false\n")
    assert types(parsed) == {"n": "number", "c": "category", "b": "boolean"}
    assert math.isnan(parsed.columns["n"][1])
    assert parsed.columns["c"][1] is None
    assert math.isnan(parsed.columns["b"][1])


def test_a_column_without_any_value_is_a_number_column_of_missing_values():
    parsed = parse("a,b\n,1\nNA,2\n")
    assert types(parsed)["a"] == "number"
    assert np.isnan(parsed.columns["a"]).all()


def test_repeated_short_texts_are_categories_and_others_text():
    lines = [f"name {i},{i % 3}th,{'long ' * 50}" for i in range(50)]
    parsed = parse("name,rank,story\n" + "\n".join(lines))
    assert types(parsed) == {"name": "text", "rank": "category", "story": "text"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter):
    parsed = parse(delimiter.join("abc") + "\n" + delimiter.join(["1", "x y", "2"]) + "\n")
    assert types(parsed) == {"a": "number", "b": "category", "c": "number"}


def test_the_header_decides_between_two_delimiters():
    parsed = parse('a;b\n"x, y";1\n"z, w";2\n')
    assert parsed.columns["a"].tolist() == ["x, y", "z, w"]


def test_quoted_cells_hold_delimiters_quotes_and_line_breaks():
    parsed = parse('a,b\n"x, ""y""\nz",1\nw,2\n')
    assert parsed.columns["a"].tolist() == ['x, "y"\nz', "w"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_and_a_byte_order_mark_are_read(newline):
    parsed = parse(b"\xef\xbb\xbf" + newline.join(["a,b", "1,2", "", "  ", "3,4"]).encode())
    assert parsed.columns["a"].tolist() == [1, 3]


def test_umlauts_are_utf_8():
    assert parse("größe\nGroß\nklein\n").columns["größe"].tolist() == ["Groß", "klein"]


def test_gzip_is_unpacked_whatever_the_name():
    packed = gzip.compress(b"a,b\n1,2\n")
    assert parse(packed, "data.csv.gz").columns["b"].tolist() == [2]
    assert parse(packed, "data.csv").columns["b"].tolist() == [2]


def test_a_gzip_bomb_is_refused_by_its_unpacked_size():
    bomb = gzip.compress(b"a\n" + b"1\n" * 5_000_000)
    error = refusal(bomb, "bomb.csv.gz", max_bytes=2_000_000)
    assert "unpacks to more than the allowed 2000000 bytes" in error.detail


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:20] + b"x" * 20])
def test_a_damaged_gzip_is_refused(damage):
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 100)
    assert "damaged or cut off" in refusal(damage(packed), "data.csv.gz").detail


def test_a_table_beyond_the_memory_quota_is_refused():
    error = refusal("a,b\n" + ",\n" * 1000, max_bytes=10_000)
    assert "more than the allowed 10000 bytes" in error.detail


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_refused(text):
    assert "the file is empty" in refusal(text).detail


def test_a_header_without_rows_is_refused():
    assert "has a header but no rows" in refusal("a,b\n").detail


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,a\n1,2\n", 'columns 1 and 2 are both named "a"; rename one'),
        ("a,b, a \n1,2,3\n", 'columns 1 and 3 are both named "a"; rename one'),
        ("a,,c\n1,2,3\n", "column 2 has no name in line 1"),
        ("a,b,\n1,2,\n", "column 3 has no name in line 1; name it or remove the column"),
        ("0.1,2\n3,4\n", "line 1 holds only numbers, but the first row must hold the column nam"),
        ("x" * 300 + "\n1\n", "column 1 has a name of 300 characters; at most 200"),
    ],
)
def test_a_bad_header_is_refused(text, words):
    error = refusal(text)
    assert error.pointer == "/file"
    assert words in error.detail


def test_a_file_without_header_is_read_on_request():
    parsed = parse("1,x\n2,y\n", header=False)
    assert types(parsed) == {"c0": "number", "c1": "category"}
    assert parsed.rows == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,c\n1,2,3\n\n4,5\n", "line 4 has 2 values, but the header has 3; fill in the rest"),
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 values, but the header has 2; quote a value"),
        ('a,b\n"x\ny",2\n1\n', "line 4 has 1 value, but the header has 2"),
    ],
)
def test_rows_of_unequal_length_are_refused_with_line_and_counts(text, words):
    assert words in refusal(text).detail


def test_a_row_of_another_length_is_found_beyond_the_first_block(monkeypatch):
    monkeypatch.setattr(csv_reader, "BLOCK_CELLS", 8)
    text = "a,b\n" + "1,2\n" * 50 + "3\n"
    assert "line 52 has 1 value" in refusal(text).detail
    assert "line 11 has 1 value" in refusal("1,2\n" * 10 + "3\n", header=False).detail


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('a,b\n1,2\n"x,3\n', "line 3: a quoted value that begins here is not closed"),
        ('a,b\n1,2\n"x"y,3\n', "line 3: text follows a closing quote; double a quote"),
        ("a,b\n1,\0\n", "line 2 holds a NUL character"),
        (b"\xff\xfea\0,\0b\0", "the file is UTF-16; save it as UTF-8"),
        (b"PK\x03\x04....", "the file is a zip archive"),
    ],
)
def test_text_that_is_no_csv_is_refused(text, words):
    assert words in refusal(text).detail


def test_another_encoding_is_refused_with_position_and_mend():
    detail = refusal("city\nBonn\nKöln\n".encode("latin-1")).detail
    assert "byte 0xf6 at position 11 (line 3) is not UTF-8" in detail
    assert "iconv -f latin1 -t utf-8" in detail


def test_a_wrong_byte_is_found_across_read_chunks(monkeypatch):
    monkeypatch.setattr(csv_reader, "CHUNK_BYTES", 3)
    data = "c\nää\nää\n".encode() + b"\xe9\n"
    assert "byte 0xe9 at position 12 (line 4)" in refusal(data).detail
    assert "cut off at position 5 (line 2)" in refusal("c\nää".encode()[:-1]).detail


@pytest.mark.parametrize("value", ["inf", "-Infinity", "1e999"])
def test_infinity_is_refused_with_line_and_column(value):
    error = refusal(f"a,b\n1,2\n3,{value}\n4,5\n")
    assert f'line 3, column "b": "{value}" is not finite' in error.detail


def test_infinity_among_texts_is_text():
    assert types(parse("a\ninf\nlow\nhigh\n")) == {"a": "category"}


@pytest.mark.parametrize("rows", [3, 20, 200])
def test_a_stray_text_in_a_number_column_is_refused_with_the_mend(rows):
    text = "id,age\n" + "".join(f"{i},{i}.5\n" for i in range(rows)) + "9,abc\n"
    detail = refusal(text).detail
    assert f'line {rows + 2}, column "age": "abc" is not a number' in detail
    assert "correct it, leave the cell empty, or declare the column with the schema" in detail
    assert '{"age": "category"}' in detail


def test_one_in_ten_stray_texts_are_refused_at_the_first():
    text = "age\n" + "".join("x\n" if i % 10 == 5 else f"{i}\n" for i in range(100))
    assert 'line 7, column "age": "x" is not a number' in refusal(text).detail


def test_numbers_among_many_texts_are_text():
    cells = [f"A{i}" if i % 4 == 0 else str(i) for i in range(400)]
    assert types(parse("ticket\n" + "\n".join(cells))) == {"ticket": "text"}


def test_text_after_blocks_of_numbers_keeps_the_first_texts(monkeypatch):
    monkeypatch.setattr(csv_reader, "BLOCK_CELLS", 8)
    cells = ["01", "2", "1.0", "", "5"] * 4 + ["x", "y"] * 20
    parsed = parse("a,n\n" + "".join(f"{cell},1\n" for cell in cells))
    assert types(parsed) == {"a": "category", "n": "number"}
    assert parsed.columns["a"].tolist() == [cell or None for cell in cells]


def test_a_comma_as_decimal_point_is_refused():
    detail = refusal("a;b\n1,5;2\n2,5;3\n").detail
    assert 'line 2, column "a": "1,5" has a comma; write numbers with a decimal point' in detail


@pytest.mark.parametrize("text", ["1_000", "٣", "0x10", "1,000"])
def test_only_plain_numbers_are_numbers(text):
    parsed = parse(f'a\n"{text}"\nx\ny\n')
    assert types(parsed) == {"a": "category"}
    assert parsed.columns["a"][0] == text


def test_whole_numbers_beyond_float64_keep_all_digits_as_text():
    ids = [str(9007199254740993 + 2 * i) for i in range(40)]
    parsed = parse("id,n\n" + "".join(f"{value},9007199254740992\n" for value in ids))
    assert types(parsed) == {"id": "text", "n": "number"}
    assert parsed.columns["id"].tolist() == ids
    declared = parse("id\n" + "\n".join(ids), schema={"id": "number"})
    assert declared.columns["id"].dtype == np.float64


def test_a_declared_type_overrules_the_values():
    schema = {"a": "category", "b": "boolean", "c": "text", "d": "number"}
    parsed = parse("a,b,c,d\n1,1,x,2\n2,0,x,\n", schema=schema)
    assert types(parsed) == schema
    assert parsed.columns["a"].tolist() == ["1", "2"]
    assert parsed.columns["b"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("schema", "pointer", "words"),
    [
        ({"aeg": "number"}, "/schema/aeg", 'no column "aeg"; the columns are "age", "id". Did you'),
        ({"age": "int"}, "/schema/age", 'unknown type "int"; the types are "number", "category"'),
        ({"age": "number"}, "/schema/age", 'line 3, column "age": "old" is not a finite number'),
        ({"age": "boolean"}, "/schema/age", 'line 2, column "age": "7" is not true or false'),
        ({"id": "category"}, "/schema/id", "1001 different values; a category column holds at mo"),
    ],
)
def test_a_schema_that_does_not_fit_is_refused(schema, pointer, words):
    rows = ["7,0", "old,1"] + [f"young,{i}" for i in range(2, 1001)]
    error = refusal("age,id\n" + "\n".join(rows), schema=schema)
    assert error.pointer == pointer
    assert words in error.detail


def test_too_many_columns_are_refused():
    assert "line 1 has more than 20000 columns" in refusal("a," * 30_000).detail
    assert "line 2 has more than 20000 columns" in refusal("a,b\n" + "ab," * 500_000).detail


def test_the_callers_file_stays_open():
    file = io.BytesIO(b"a,b\n1,2\n")
    parse_file(file, "data.csv")
    assert not file.closed


numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30))
def test_any_numbers_come_back_exactly(rows):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([("a", "b"), *[["" if x is None else repr(x) for x in row] for row in rows]])
    parsed = parse(text.getvalue())
    assert types(parsed) == {"a": "number", "b": "number"}
    for name, column in zip("ab", zip(*rows, strict=True), strict=True):
        expected = np.array([math.nan if x is None else x for x in column])
        np.testing.assert_array_equal(parsed.columns[name], expected)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=20), st.sampled_from(",;\t|"))
def test_any_quoted_texts_come_back_trimmed(rows, delimiter):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("first", "second"), *rows])
    parsed = parse(text.getvalue(), schema={"first": "text", "second": "text"})
    trimmed = [[cell.strip() for cell in row] for row in rows]
    missing = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"}
    expected = [[None if cell in missing else cell for cell in row] for row in trimmed]
    columns = [parsed.columns[name].tolist() for name in ("first", "second")]
    assert [list(row) for row in zip(*columns, strict=True)] == expected


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_parsed_or_refused(data):
    with contextlib.suppress(FormatError):
        assert parse(data).rows
