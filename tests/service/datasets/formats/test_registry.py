"""Which format a file has."""

import pytest

from service.datasets.formats import FormatError, detect_format, parse_file, supported_formats


@pytest.mark.parametrize(
    ("file_name", "format_name", "expected"),
    [
        ("a.csv", None, "csv"),
        ("A.CSV", None, "csv"),
        ("a.csv.gz", None, "csv"),
        ("a.tsv", None, "csv"),
        ("a.npz", None, "npz"),
        ("upload", "npz", "npz"),
        ("a.csv", "npz", "npz"),
    ],
)
def test_the_format_is_given_or_told_by_the_name(file_name, format_name, expected):
    assert detect_format(file_name, format_name) == expected


def test_an_unknown_ending_lists_what_is_supported():
    with pytest.raises(FormatError) as caught:
        parse_file(b"", "data.xlsx")
    assert caught.value.pointer == "/file"
    assert '"data.xlsx" does not tell the format; supported are ".csv"' in caught.value.detail
    assert 'give the field format ("csv", "npz")' in caught.value.detail


def test_an_unknown_format_lists_what_is_supported():
    with pytest.raises(FormatError) as caught:
        parse_file(b"", "data.csv", "excel")
    assert caught.value.pointer == "/format"
    assert '"excel" is not supported; supported are "csv", "npz"' in caught.value.detail


def test_every_format_names_its_endings():
    assert supported_formats() == {
        "csv": [".csv", ".csv.gz", ".tsv", ".tsv.gz"],
        "npz": [".npz"],
    }
